package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

type franzMember struct {
	*positions
	topic  string
	client *kgo.Client
}

func (m *franzMember) commit(ctx context.Context, partitions []int32) {
	offsets := m.committing(partitions)
	if len(offsets) == 0 {
		return
	}
	request := map[string]map[int32]kgo.EpochOffset{m.topic: {}}
	for partition, offset := range offsets {
		request[m.topic][partition] = kgo.EpochOffset{Epoch: -1, Offset: offset}
	}
	var failed error
	m.client.CommitOffsetsSync(ctx, request, func(_ *kgo.Client,
		_ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error) {
		failed = err
		if err != nil {
			return
		}
		for _, topic := range answer.Topics {
			for _, partition := range topic.Partitions {
				if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
					failed = fmt.Errorf("partition %d: %w", partition.Partition, err)
				}
			}
		}
	})
	m.committed(offsets, failed)
}

func (m *franzMember) poll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	fetches := m.client.PollFetches(ctx)
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if n := len(p.Records); n > 0 {
			m.read(p.Partition, p.Records[0].Offset, p.Records[n-1].Offset, n)
		}
	})
}

// franz runs one member by franz-go: range or cooperative.
func franz(c *client, name string, stop <-chan struct{}) {
	m := &franzMember{positions: newPositions(name), topic: c.option("topic")}
	var balancer kgo.GroupBalancer = kgo.CooperativeStickyBalancer()
	if c.option("protocol") == "range" {
		balancer = kgo.RangeBalancer()
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(c.option("bootstrap"), ",")...), kgo.ClientID(name),
		kgo.ConsumerGroup(c.option("group")), kgo.ConsumeTopics(m.topic),
		kgo.Balancers(balancer), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(100*time.Millisecond),
		kgo.SessionTimeout(c.milliseconds("session-ms", 6000)),
		kgo.HeartbeatInterval(500*time.Millisecond), kgo.RebalanceTimeout(20*time.Second),
		kgo.OnPartitionsAssigned(func(_ context.Context, client *kgo.Client,
			topics map[string][]int32) {
			_, generation := client.GroupMetadata()
			if partitions := topics[m.topic]; len(partitions) > 0 {
				m.assigned(partitions, generation)
			}
		}),
		kgo.OnPartitionsRevoked(func(ctx context.Context, _ *kgo.Client,
			topics map[string][]int32) {
			if partitions := topics[m.topic]; len(partitions) > 0 {
				m.commit(ctx, partitions)
				m.gone("revoked", partitions)
			}
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client,
			topics map[string][]int32) {
			m.gone("lost", topics[m.topic])
		}))
	if err != nil {
		fatal(name, err)
	}
	m.client = client
	ctx, commitEvery := context.Background(), c.milliseconds("commit-ms", 300)
	commitAt := time.Now()
	for {
		select {
		case <-stop:
			client.CloseAllowingRebalance()
			return
		default:
		}
		m.poll(ctx)
		if time.Now().After(commitAt) {
			m.commit(ctx, nil)
			commitAt = time.Now().Add(commitEvery)
		}
		client.AllowRebalance()
		// Small answers of many partitions: some of them at a time.
		time.Sleep(50 * time.Millisecond)
	}
}
