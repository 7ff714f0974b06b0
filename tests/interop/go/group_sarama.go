package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

type saramaMember struct {
	*positions
	topic   string
	group   string
	admin   sarama.ClusterAdmin
	commits time.Duration
	session sarama.ConsumerGroupSession
}

func (m *saramaMember) Setup(session sarama.ConsumerGroupSession) error {
	m.session = session
	if partitions := session.Claims()[m.topic]; len(partitions) > 0 {
		m.assigned(append([]int32{}, partitions...), session.GenerationID())
	}
	return nil
}

// commit marks and commits what was read. The library does not say whether that was
// acknowledged: what the group has is read again.
func (m *saramaMember) commit(confirm bool) {
	offsets := m.committing(nil)
	for partition, offset := range offsets {
		m.session.MarkOffset(m.topic, partition, offset, "")
	}
	if len(offsets) == 0 {
		return
	}
	m.session.Commit()
	if !confirm {
		return
	}
	partitions := []int32{}
	for partition := range offsets {
		partitions = append(partitions, partition)
	}
	answer, err := m.admin.ListConsumerGroupOffsets(m.group,
		map[string][]int32{m.topic: partitions})
	if err != nil {
		m.committed(offsets, err)
		return
	}
	for partition, offset := range offsets {
		if found := answer.GetBlock(m.topic, partition); found == nil ||
			found.Offset != offset {
			delete(offsets, partition)
		}
	}
	if len(offsets) > 0 {
		m.committed(offsets, nil)
	}
}

func (m *saramaMember) Cleanup(session sarama.ConsumerGroupSession) error {
	m.commit(true)
	m.gone("revoked", append([]int32{}, session.Claims()[m.topic]...))
	return nil
}

func (m *saramaMember) ConsumeClaim(session sarama.ConsumerGroupSession,
	claim sarama.ConsumerGroupClaim) error {
	for {
		var first *sarama.ConsumerMessage
		select {
		case first = <-claim.Messages():
		case <-session.Context().Done():
		}
		if first == nil {
			return nil
		}
		last, count := first.Offset, 1
		for more := true; more; {
			select {
			case message := <-claim.Messages():
				if message == nil {
					more = false
				} else {
					last = message.Offset
					count++
				}
			case <-time.After(20 * time.Millisecond):
				more = false
			}
			more = more && count < 1000
		}
		m.read(claim.Partition(), first.Offset, last, count)
	}
}

func (m *saramaMember) committer(stop <-chan struct{}, session sarama.ConsumerGroupSession) {
	for {
		select {
		case <-time.After(m.commits):
			m.commit(false)
		case <-session.Context().Done():
			return
		case <-stop:
			return
		}
	}
}

// saramaHandler starts a committer for each session; the member does the rest.
type saramaHandler struct {
	*saramaMember
	ended chan struct{}
}

func (h *saramaHandler) Setup(session sarama.ConsumerGroupSession) error {
	err := h.saramaMember.Setup(session)
	h.ended = make(chan struct{})
	go func() {
		h.committer(nil, session)
		close(h.ended)
	}()
	return err
}

func (h *saramaHandler) Cleanup(session sarama.ConsumerGroupSession) error {
	<-h.ended
	return h.saramaMember.Cleanup(session)
}

// runSarama runs one member by sarama: range.
func runSarama(c *client, name string, stop <-chan struct{}) {
	config := sarama.NewConfig()
	config.ClientID = name
	config.Consumer.Group.Session.Timeout = c.milliseconds("session-ms", 6000)
	config.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	config.Consumer.Group.Rebalance.Timeout = 20 * time.Second
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.MaxWaitTime = 100 * time.Millisecond
	config.Metadata.Retry.Max = 30
	addresses := strings.Split(c.option("bootstrap"), ",")
	admin, err := sarama.NewClusterAdmin(addresses, config)
	if err != nil {
		fatal(name, err)
	}
	group, err := sarama.NewConsumerGroup(addresses, c.option("group"), config)
	if err != nil {
		fatal(name, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-stop
		cancel()
	}()
	handler := &saramaHandler{saramaMember: &saramaMember{positions: newPositions(name),
		topic: c.option("topic"), group: c.option("group"), admin: admin,
		commits: c.milliseconds("commit-ms", 300)}}
	for ctx.Err() == nil {
		err := group.Consume(ctx, []string{handler.topic}, handler)
		if err != nil && !errors.Is(err, sarama.ErrClosedConsumerGroup) {
			// What the library gives up for a while: a broker that went away.
			time.Sleep(200 * time.Millisecond)
		}
	}
	group.Close()
	admin.Close()
}
