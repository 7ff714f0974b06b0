// The franz-go client behind the command line that all interop clients share; see
// tests/interop/README.md for its commands, options and JSON lines.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

type line = map[string]any

type client struct {
	options  map[string]string
	settings map[string]string // the library's, --set
	configs  map[string]string // a topic's, --config
	out      *bufio.Writer
	failed   bool
}

func newClient(arguments []string) *client {
	c := &client{options: map[string]string{}, settings: map[string]string{},
		configs: map[string]string{}, out: bufio.NewWriter(os.Stdout)}
	for i := 0; i+1 < len(arguments); i += 2 {
		name := strings.TrimPrefix(arguments[i], "--")
		key, value, _ := strings.Cut(arguments[i+1], "=")
		switch name {
		case "set":
			c.settings[key] = value
		case "config":
			c.configs[key] = value
		default:
			c.options[name] = arguments[i+1]
		}
	}
	return c
}

func die(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(2)
}

func (c *client) option(name string) string {
	value, ok := c.options[name]
	if !ok {
		die("--%s is missing", name)
	}
	return value
}

func (c *client) number(name string, otherwise int64) int64 {
	text, ok := c.options[name]
	if !ok {
		return otherwise
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		die("--%s: %v", name, err)
	}
	return value
}

func (c *client) print(l line) {
	text, err := json.Marshal(l)
	if err != nil {
		die("%v", err)
	}
	c.out.Write(text)
	c.out.WriteByte('\n')
}

func (c *client) fail(err error) line {
	c.failed = true
	var kafka *kerr.Error
	name := "UNKNOWN"
	if errors.As(err, &kafka) {
		name = kafka.Message
	}
	return line{"error": name, "message": err.Error()}
}

func text(bytes []byte) any {
	if bytes == nil {
		return nil
	}
	return base64.StdEncoding.EncodeToString(bytes)
}

func bytesOf(value any) []byte {
	encoded, ok := value.(string)
	if !ok {
		return nil
	}
	bytes, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		die("%v", err)
	}
	return bytes
}

func (c *client) connect(further ...kgo.Opt) *kgo.Client {
	base := []kgo.Opt{kgo.SeedBrokers(strings.Split(c.option("bootstrap"), ",")...)}
	client, err := kgo.NewClient(append(base, further...)...)
	if err != nil {
		die("%v", err)
	}
	return client
}

// ---- produce ----

func (c *client) producerOptions() []kgo.Opt {
	opts := []kgo.Opt{kgo.RecordPartitioner(kgo.BasicConsistentPartitioner(
		func(string) func(*kgo.Record, int) int {
			return func(r *kgo.Record, n int) int { return int(r.Partition) % n }
		})), kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(-1)}
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(),
		"zstd": kgo.ZstdCompression()}
	if codec, ok := c.options["codec"]; ok {
		opts = append(opts, kgo.ProducerBatchCompression(codecs[codec]))
	}
	switch c.options["acks"] {
	case "0":
		opts = append(opts, kgo.RequiredAcks(kgo.NoAck()))
	case "1":
		opts = append(opts, kgo.RequiredAcks(kgo.LeaderAck()))
	}
	if c.options["idempotent"] == "false" || c.options["acks"] == "0" ||
		c.options["acks"] == "1" {
		opts = append(opts, kgo.DisableIdempotentWrite())
		if n, ok := c.options["in-flight"]; ok {
			count, _ := strconv.Atoi(n)
			opts = append(opts, kgo.MaxProduceRequestsInflightPerBroker(count))
		}
	}
	if _, ok := c.options["linger-ms"]; ok {
		opts = append(opts,
			kgo.ProducerLinger(time.Duration(c.number("linger-ms", 0))*time.Millisecond))
	}
	if size, ok := c.settings["batch_max_bytes"]; ok {
		count, _ := strconv.Atoi(size)
		opts = append(opts, kgo.ProducerBatchMaxBytes(int32(count)))
	}
	return opts
}

func (c *client) record(in line) *kgo.Record {
	record := &kgo.Record{Topic: c.option("topic"), Key: bytesOf(in["key"]),
		Value: bytesOf(in["value"])}
	if partition, ok := in["partition"].(float64); ok {
		record.Partition = int32(partition)
	}
	if timestamp, ok := in["timestamp"].(float64); ok {
		record.Timestamp = time.UnixMilli(int64(timestamp))
	}
	if headers, ok := in["headers"].([]any); ok {
		for _, header := range headers {
			pair := header.([]any)
			record.Headers = append(record.Headers,
				kgo.RecordHeader{Key: pair[0].(string), Value: bytesOf(pair[1])})
		}
	}
	return record
}

func (c *client) produce() {
	client := c.connect(c.producerOptions()...)
	defer client.Close()
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 64<<20)
	var records []*kgo.Record
	var results []error
	for input.Scan() {
		var in line
		if err := json.Unmarshal(input.Bytes(), &in); err != nil {
			die("%v", err)
		}
		records = append(records, c.record(in))
	}
	results = make([]error, len(records))
	for i, record := range records {
		client.Produce(context.Background(), record, func(_ *kgo.Record, err error) {
			results[i] = err
		})
	}
	if err := client.Flush(context.Background()); err != nil {
		die("%v", err)
	}
	for i, record := range records {
		if results[i] != nil {
			out := c.fail(results[i])
			out["index"] = i
			c.print(out)
			continue
		}
		c.print(line{"index": i, "partition": record.Partition, "offset": record.Offset,
			"timestamp": record.Timestamp.UnixMilli()})
	}
}

// ---- consume ----

func (c *client) partitions() []int32 {
	var result []int32
	for _, text := range strings.Split(c.option("partitions"), ",") {
		partition, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			die("%v", err)
		}
		result = append(result, int32(partition))
	}
	return result
}

func describe(record *kgo.Record) line {
	headers := [][]any{}
	for _, header := range record.Headers {
		headers = append(headers, []any{header.Key, text(header.Value)})
	}
	kind := "CreateTime"
	if record.Attrs.TimestampType() == 1 {
		kind = "LogAppendTime"
	}
	return line{"topic": record.Topic, "partition": record.Partition,
		"offset": record.Offset, "timestamp": record.Timestamp.UnixMilli(),
		"timestamp_type": kind, "key": text(record.Key), "value": text(record.Value),
		"headers": headers}
}

func (c *client) consume() {
	from := kgo.NewOffset().AtStart()
	switch start := c.options["from"]; start {
	case "", "beginning":
	case "end":
		from = kgo.NewOffset().AtEnd()
	default:
		from = kgo.NewOffset().At(c.number("from", 0))
	}
	offsets := map[int32]kgo.Offset{}
	for _, partition := range c.partitions() {
		offsets[partition] = from
	}
	client := c.connect(kgo.ConsumePartitions(
		map[string]map[int32]kgo.Offset{c.option("topic"): offsets}))
	defer client.Close()
	deadline, cancel := context.WithTimeout(context.Background(),
		time.Duration(c.number("timeout-ms", 60000))*time.Millisecond)
	defer cancel()
	c.print(line{"event": "polling"})
	c.out.Flush()
	left := c.number("count", 1)
	for left > 0 && deadline.Err() == nil {
		fetches := client.PollFetches(deadline)
		for _, failure := range fetches.Errors() {
			if !errors.Is(failure.Err, context.DeadlineExceeded) {
				c.print(c.fail(failure.Err))
				return
			}
		}
		fetches.EachRecord(func(record *kgo.Record) {
			c.print(describe(record))
			left--
		})
	}
	c.failed = c.failed || left > 0
}

func (c *client) offsets() {
	client := c.connect()
	defer client.Close()
	admin, topic, timestamp := kadm.NewClient(client), c.option("topic"),
		c.number("timestamp", -1)
	var listed kadm.ListedOffsets
	var err error
	switch timestamp {
	case -1:
		listed, err = admin.ListEndOffsets(context.Background(), topic)
	case -2:
		listed, err = admin.ListStartOffsets(context.Background(), topic)
	default: // -3, the largest timestamp's, too
		listed, err = admin.ListOffsetsAfterMilli(context.Background(), timestamp, topic)
	}
	if err != nil {
		c.print(c.fail(err))
		return
	}
	for _, partition := range c.partitions() {
		found, _ := listed.Lookup(topic, partition)
		if found.Err != nil {
			out := c.fail(found.Err)
			out["partition"] = partition
			c.print(out)
			continue
		}
		c.print(line{"partition": partition, "offset": found.Offset,
			"timestamp": found.Timestamp})
	}
}

// ---- admin ----

func (c *client) done(err error) {
	if err != nil {
		c.print(c.fail(err))
		return
	}
	c.print(line{"ok": true})
}

func (c *client) create(ctx context.Context, admin *kadm.Client) {
	configs := map[string]*string{}
	for name, value := range c.configs {
		value := value
		configs[name] = &value
	}
	_, err := admin.CreateTopic(ctx, int32(c.number("partitions", -1)),
		int16(c.number("replication", -1)), configs, c.option("topic"))
	c.done(err)
}

func (c *client) describeConfigs(ctx context.Context, admin *kadm.Client) {
	found, err := admin.DescribeTopicConfigs(ctx, c.option("topic"))
	if err == nil {
		err = found[0].Err
	}
	if err != nil {
		c.print(c.fail(err))
		return
	}
	all := line{}
	for _, config := range found[0].Configs {
		all[config.Key] = line{"value": config.Value, "source": config.Source.String()}
	}
	c.print(line{"configs": all})
}

func (c *client) alter(ctx context.Context, admin *kadm.Client) {
	var changes []kadm.AlterConfig
	for name, value := range c.configs {
		value := value
		changes = append(changes,
			kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value})
	}
	if name, ok := c.options["delete"]; ok {
		changes = append(changes, kadm.AlterConfig{Op: kadm.DeleteConfig, Name: name})
	}
	results, err := admin.AlterTopicConfigs(ctx, changes, c.option("topic"))
	if err == nil {
		err = results[0].Err
	}
	c.done(err)
}

func (c *client) describe(ctx context.Context, admin *kadm.Client) {
	topics, err := admin.ListTopics(ctx, c.option("topic"))
	if err == nil {
		err = topics.Error()
	}
	if err != nil {
		c.print(c.fail(err))
		return
	}
	parts := []line{}
	topic := topics[c.option("topic")]
	for _, part := range topic.Partitions.Sorted() {
		parts = append(parts, line{"partition": part.Partition, "leader": part.Leader,
			"replicas": len(part.Replicas)})
	}
	c.print(line{"topic": topic.Topic, "id": topic.ID.String(), "partitions": parts})
}

func (c *client) cluster(ctx context.Context, admin *kadm.Client) {
	metadata, err := admin.BrokerMetadata(ctx)
	if err != nil {
		c.print(c.fail(err))
		return
	}
	brokers := []line{}
	for _, broker := range metadata.Brokers {
		brokers = append(brokers,
			line{"id": broker.NodeID, "host": broker.Host, "port": broker.Port})
	}
	c.print(line{"cluster": metadata.Cluster, "controller": metadata.Controller,
		"brokers": brokers})
}

func (c *client) list(ctx context.Context, admin *kadm.Client) {
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		c.print(c.fail(err))
		return
	}
	c.print(line{"topics": topics.Names()})
}

func (c *client) admin(command string) {
	client := c.connect()
	defer client.Close()
	admin, ctx := kadm.NewClient(client), context.Background()
	switch command {
	case "create":
		c.create(ctx, admin)
	case "delete":
		_, err := admin.DeleteTopic(ctx, c.option("topic"))
		c.done(err)
	case "partitions":
		results, err := admin.UpdatePartitions(ctx, int(c.number("count", 1)),
			c.option("topic"))
		if err == nil {
			err = results.Error()
		}
		c.done(err)
	case "configs":
		c.describeConfigs(ctx, admin)
	case "alter":
		c.alter(ctx, admin)
	case "describe":
		c.describe(ctx, admin)
	case "cluster":
		c.cluster(ctx, admin)
	case "list":
		c.list(ctx, admin)
	default:
		die("no admin %s", command)
	}
}

func main() {
	if len(os.Args) < 2 || (os.Args[1] == "admin" && len(os.Args) < 3) {
		die("usage: client produce|consume|offsets|group|group-sarama|admin ...")
	}
	var c *client
	switch os.Args[1] {
	case "produce":
		c = newClient(os.Args[2:])
		c.produce()
	case "consume":
		c = newClient(os.Args[2:])
		c.consume()
	case "offsets":
		c = newClient(os.Args[2:])
		c.offsets()
	case "group":
		c = newClient(os.Args[2:])
		group(c, franz)
	case "group-sarama":
		c = newClient(os.Args[2:])
		group(c, runSarama)
	case "admin":
		c = newClient(os.Args[3:])
		c.admin(os.Args[2])
	default:
		die("no command %s", os.Args[1])
	}
	c.out.Flush()
	if c.failed {
		os.Exit(1)
	}
}
