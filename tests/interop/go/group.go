// Members of a group by franz-go and by sarama; see tests/interop/README.md for the command
// line and the lines.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// monotonic is the machine's clock that other programs see, too, in seconds.
func monotonic() float64 {
	const clockMonotonic = 1
	var now syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic,
		uintptr(unsafe.Pointer(&now)), 0)
	return float64(now.Sec) + float64(now.Nsec)/1e9
}

var emitLock sync.Mutex

// emit prints a line at once: nothing may be lost when we are killed.
func emit(member, event string, more line) {
	if more == nil {
		more = line{}
	}
	emitLock.Lock()
	defer emitLock.Unlock()
	more["event"], more["member"], more["at"] = event, member, monotonic()
	text, err := json.Marshal(more)
	if err != nil {
		die("%v", err)
	}
	os.Stdout.Write(append(text, '\n'))
}

func fatal(member string, err error) {
	emit(member, "error", line{"message": err.Error()})
	os.Exit(1)
}

// positions is what a member has read of the partitions that it has.
type positions struct {
	sync.Mutex
	member string
	next   map[int32]int64 // to commit
	done   map[int32]int64 // acknowledged
}

func newPositions(member string) *positions {
	return &positions{member: member, next: map[int32]int64{}, done: map[int32]int64{}}
}

func (p *positions) assigned(partitions []int32, generation int32) {
	sort.Slice(partitions, func(i, j int) bool { return partitions[i] < partitions[j] })
	emit(p.member, "assigned", line{"partitions": partitions, "generation": generation})
}

func (p *positions) gone(event string, partitions []int32) {
	if len(partitions) == 0 {
		return
	}
	p.Lock()
	defer p.Unlock()
	for _, partition := range partitions {
		delete(p.next, partition)
		delete(p.done, partition)
	}
	emit(p.member, event, line{"partitions": partitions})
}

func (p *positions) read(partition int32, first, last int64, count int) {
	p.Lock()
	defer p.Unlock()
	emit(p.member, "records", line{"partition": partition, "first": first, "last": last,
		"count": count})
	p.next[partition] = last + 1
}

// committing is what is to be committed now, of some partitions or (nil) all.
func (p *positions) committing(partitions []int32) map[int32]int64 {
	p.Lock()
	defer p.Unlock()
	wanted := map[int32]bool{}
	for _, partition := range partitions {
		wanted[partition] = true
	}
	offsets := map[int32]int64{}
	for partition, offset := range p.next {
		done, was := p.done[partition]
		if (!was || done != offset) && (partitions == nil || wanted[partition]) {
			offsets[partition] = offset
		}
	}
	if len(offsets) > 0 {
		emit(p.member, "committing", line{"offsets": offsets})
	}
	return offsets
}

func (p *positions) committed(offsets map[int32]int64, err error) {
	p.Lock()
	defer p.Unlock()
	if err != nil {
		emit(p.member, "commit_failed", line{"offsets": offsets, "message": err.Error()})
		return
	}
	for partition, offset := range offsets {
		if _, has := p.next[partition]; has {
			p.done[partition] = offset
		}
	}
	emit(p.member, "committed", line{"offsets": offsets})
}

// group runs members, each by START in a goroutine of its own, until told to quit.
func group(c *client, start func(c *client, name string, stop <-chan struct{})) {
	stops := map[string]chan struct{}{}
	var running sync.WaitGroup
	add := func(name string) {
		stop := make(chan struct{})
		stops[name] = stop
		running.Add(1)
		go func() {
			start(c, name, stop)
			emit(name, "closed", nil)
			running.Done()
		}()
	}
	for _, name := range strings.Split(c.option("members"), ",") {
		add(name)
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() && in.Text() != "quit" {
		var command, name string
		fmt.Sscan(in.Text(), &command, &name)
		switch command {
		case "add":
			add(name)
		case "close":
			close(stops[name])
			delete(stops, name)
		}
	}
	for _, stop := range stops {
		close(stop)
	}
	running.Wait()
}

func (c *client) milliseconds(name string, otherwise int64) time.Duration {
	return time.Duration(c.number(name, otherwise)) * time.Millisecond
}
