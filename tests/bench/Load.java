import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.ByteBufferDeserializer;

/**
 * The load of the benchmarks: Apache Kafka's own producer and consumer, the same for every
 * server. One process serves a whole run, so that its JVM is warm when it matters.
 *
 * Commands come on standard input, a line each, "VERB name=value ..."; an answer is one
 * line of JSON. "create" makes a topic. "produce" and "fetch" first print {"ready":true}
 * when all clients are connected, and begin at a line "go", so that the harness can read
 * the servers' CPU times exactly around the work. "set.NAME=VALUE" is a client setting.
 *
 *   create  bootstrap= topic= partitions=
 *   produce bootstrap= topic= partitions= producers= bytes= [rate=BYTES/S] [spread=keys]
 *           [record=1024] [tails=N]     tails: consumers that each read all of it, live
 *   fetch   bootstrap= topic= partitions= consumers= bytes=      from the beginning
 *   rebalance bootstrap= topic= partitions= members=  a group of so many; at "go" one more
 */
public final class Load {
    private static final int BUCKETS = 100_000; // of 0.1 ms
    private static final BufferedReader IN = new BufferedReader(
            new InputStreamReader(System.in, StandardCharsets.UTF_8));

    private final Map<String, String> options = new HashMap<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final AtomicIntegerArray latencies = new AtomicIntegerArray(BUCKETS + 1);
    private final AtomicLong produced = new AtomicLong();
    private final AtomicLong fetched = new AtomicLong();
    /** The longest time that any one producer was without an acknowledgement. */
    private final AtomicLong gapNanos = new AtomicLong();

    private Load(String[] words) {
        for (int i = 1; i < words.length; i++) {
            String[] pair = words[i].split("=", 2);
            options.put(pair[0], pair[1]);
        }
    }

    private String option(String name) {
        return Optional.ofNullable(options.get(name))
                .orElseThrow(() -> new IllegalArgumentException(name + "= is missing"));
    }

    private long number(String name, long otherwise) {
        return Long.parseLong(options.getOrDefault(name, "" + otherwise));
    }

    private Properties config() {
        var config = new Properties();
        config.put("bootstrap.servers", option("bootstrap"));
        options.forEach((name, value) -> {
            if (name.startsWith("set.")) {
                config.put(name.substring(4), value);
            }
        });
        return config;
    }

    private void create() throws Exception {
        var config = new Properties();
        config.put("bootstrap.servers", option("bootstrap"));
        try (var admin = Admin.create(config)) {
            admin.createTopics(List.of(new NewTopic(option("topic"),
                    (int) number("partitions", 12), (short) 1))).all().get();
        }
        System.out.println("{\"ok\":true}");
    }

    private static void awaitGo() throws Exception {
        System.out.println("{\"ready\":true}");
        String line = IN.readLine();
        if (!"go".equals(line)) {
            throw new IllegalStateException("expected go, not " + line);
        }
    }

    private void fail(Throwable thrown) {
        failure.compareAndSet(null, thrown);
    }

    private void check() throws Exception {
        if (failure.get() != null) {
            throw new Exception(failure.get());
        }
    }

    // ---- produce ----

    private KafkaProducer<byte[], byte[]> connectProducer() {
        var serializer = new ByteArraySerializer();
        var producer = new KafkaProducer<>(config(), serializer, serializer);
        producer.partitionsFor(option("topic"));
        return producer;
    }

    /** Values of the size asked for that do not compress and are not all the same. */
    private static byte[][] payloads(int bytes) {
        var random = new java.util.Random(7);
        byte[][] values = new byte[64][bytes];
        for (byte[] value : values) {
            random.nextBytes(value);
        }
        return values;
    }

    private void send(KafkaProducer<byte[], byte[]> producer, long records, double perSecond,
            byte[][] values) {
        int partitions = (int) number("partitions", 12);
        boolean keys = "keys".equals(options.get("spread"));
        long begin = System.nanoTime();
        var acknowledged = new AtomicLong(begin);
        for (long i = 0; i < records && failure.get() == null; i++) {
            if (perSecond > 0) {
                long due = begin + (long) (i / perSecond * 1e9);
                for (long now = System.nanoTime(); now < due; now = System.nanoTime()) {
                    LockSupport.parkNanos(Math.max(due - now, 1_000_000));
                }
            }
            long at = System.nanoTime();
            producer.send(new ProducerRecord<>(option("topic"),
                    keys ? (Integer) (int) (i % partitions) : null, null,
                    values[(int) (i & 63)]), (metadata, exception) -> {
                        if (exception != null) {
                            fail(exception);
                            return;
                        }
                        long now = System.nanoTime();
                        long gap = now - acknowledged.getAndSet(now);
                        gapNanos.accumulateAndGet(gap, Math::max);
                        long tenths = (now - at) / 100_000;
                        latencies.incrementAndGet((int) Math.min(tenths, BUCKETS));
                    });
        }
        producer.flush();
    }

    /** The least latency in ms that the given part of all records does not pass. */
    private double percentile(double part) {
        long total = 0;
        for (int i = 0; i <= BUCKETS; i++) {
            total += latencies.get(i);
        }
        long seen = 0;
        for (int i = 0; i <= BUCKETS; i++) {
            seen += latencies.get(i);
            if (total > 0 && seen >= part * total) {
                return (i + 1) / 10.0;
            }
        }
        return 0;
    }

    private void produce() throws Exception {
        int producers = (int) number("producers", 1);
        int tails = (int) number("tails", 0);
        int size = (int) number("record", 1024);
        long each = number("bytes", 0) / size / producers;
        double perSecond = (double) number("rate", 0) / size / producers;
        byte[][] values = payloads(size);
        var connected = new ArrayList<KafkaProducer<byte[], byte[]>>();
        for (int i = 0; i < producers; i++) {
            connected.add(connectProducer());
        }
        var threads = new ArrayList<Thread>();
        var positioned = new CountDownLatch(tails);
        for (int i = 0; i < tails; i++) {
            threads.add(new Thread(() -> readTail(positioned,
                    each * producers * size)));
        }
        threads.forEach(Thread::start);
        positioned.await();
        check();
        awaitGo();
        long begin = System.nanoTime();
        for (var producer : connected) {
            var thread = new Thread(() -> {
                try {
                    send(producer, each, perSecond, values);
                    produced.addAndGet(each * size);
                } catch (RuntimeException exception) {
                    fail(exception);
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (var thread : threads) {
            thread.join();
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        check();
        print(seconds);
        connected.forEach(producer -> producer.close(Duration.ofSeconds(10)));
    }

    // ---- fetch ----

    private KafkaConsumer<ByteBuffer, ByteBuffer> connectConsumer(int from, int step,
            boolean end) {
        var config = config();
        config.put("check.crcs", "false"); // the client's cost, not the server's
        config.put("auto.offset.reset", "none");
        config.keySet().removeIf(name -> List.of("batch.size", "linger.ms", "acks",
                "max.request.size", "buffer.memory").contains(name));
        var consumer = new KafkaConsumer<>(config, new ByteBufferDeserializer(),
                new ByteBufferDeserializer());
        var mine = new ArrayList<TopicPartition>();
        for (int i = from; i < number("partitions", 12); i += step) {
            mine.add(new TopicPartition(option("topic"), i));
        }
        consumer.assign(mine);
        if (end) {
            consumer.seekToEnd(mine);
        } else {
            consumer.seekToBeginning(mine);
        }
        mine.forEach(consumer::position);
        return consumer;
    }

    /** Read until all consumers together, or this one alone (SHARED false), have BYTES. */
    private void read(KafkaConsumer<ByteBuffer, ByteBuffer> consumer, long bytes,
            boolean shared) {
        long own = 0;
        long deadline = System.nanoTime() + 120_000_000_000L;
        while ((shared ? fetched.get() : own) < bytes && failure.get() == null) {
            long got = 0;
            for (var record : consumer.poll(Duration.ofMillis(100))) {
                got += record.serializedValueSize();
            }
            own += got;
            fetched.addAndGet(got);
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("only " + fetched.get() + " of " + bytes
                        + " bytes came in two minutes");
            }
        }
    }

    private void readTail(CountDownLatch positioned, long bytes) {
        try (var consumer = connectConsumer(0, 1, true)) {
            consumer.poll(Duration.ZERO);
            positioned.countDown();
            read(consumer, bytes, false);
        } catch (RuntimeException exception) {
            fail(exception);
            positioned.countDown();
        }
    }

    private void fetch() throws Exception {
        int consumers = (int) number("consumers", 1);
        var connected = new ArrayList<KafkaConsumer<ByteBuffer, ByteBuffer>>();
        for (int i = 0; i < consumers; i++) {
            connected.add(connectConsumer(i, consumers, false));
        }
        awaitGo();
        long begin = System.nanoTime();
        var threads = new ArrayList<Thread>();
        for (var consumer : connected) {
            var thread = new Thread(() -> {
                try {
                    read(consumer, number("bytes", 0), true);
                } catch (RuntimeException exception) {
                    fail(exception);
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (var thread : threads) {
            thread.join();
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        check();
        print(seconds);
        connected.forEach(KafkaConsumer::close);
    }

    // ---- groups ----

    /** A member of a group: polls, and says how many partitions it owns. */
    private final class Member extends Thread implements ConsumerRebalanceListener {
        private final KafkaConsumer<ByteBuffer, ByteBuffer> consumer;
        private volatile int owned;
        private volatile boolean over;

        Member() {
            var config = config();
            config.put("auto.offset.reset", "latest");
            consumer = new KafkaConsumer<>(config, new ByteBufferDeserializer(),
                    new ByteBufferDeserializer());
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            owned += partitions.size();
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            owned -= partitions.size();
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            owned -= partitions.size();
        }

        @Override
        public void run() {
            try (consumer) {
                consumer.subscribe(List.of(option("topic")), this);
                while (!over && failure.get() == null) {
                    consumer.poll(Duration.ofMillis(100));
                }
            } catch (RuntimeException exception) {
                fail(exception);
            }
        }
    }

    /** Wait until all own PARTITIONS together, and each of them its share. */
    private void awaitAssigned(List<Member> members, int partitions) throws Exception {
        long deadline = System.nanoTime() + 120_000_000_000L;
        while (members.stream().mapToInt(member -> member.owned).sum() != partitions
                || members.stream().anyMatch(
                        member -> member.owned < partitions / members.size())) {
            check();
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("the group is not balanced after two minutes");
            }
            LockSupport.parkNanos(2_000_000);
        }
    }

    private void rebalance() throws Exception {
        int partitions = (int) number("partitions", 12);
        var members = new ArrayList<Member>();
        for (int i = 0; i < number("members", 1); i++) {
            members.add(new Member());
        }
        members.forEach(Thread::start);
        awaitAssigned(members, partitions);
        awaitGo();
        long begin = System.nanoTime();
        var last = new Member();
        members.add(last);
        last.start();
        awaitAssigned(members, partitions);
        double seconds = (System.nanoTime() - begin) / 1e9;
        members.forEach(member -> member.over = true);
        for (var member : members) {
            member.join();
        }
        check();
        print(seconds);
    }

    private void print(double seconds) {
        System.out.println(String.format(Locale.ROOT, "{\"produced\":%d,\"fetched\":%d,"
                + "\"seconds\":%.4f,\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"p999_ms\":%.1f,"
                + "\"gap_ms\":%.1f}",
                produced.get(), fetched.get(), seconds, percentile(0.50), percentile(0.99),
                percentile(0.999), gapNanos.get() / 1e6));
    }

    public static void main(String[] arguments) throws Exception {
        for (String line = IN.readLine(); line != null; line = IN.readLine()) {
            String[] words = line.trim().split(" +");
            var load = new Load(words);
            try {
                switch (words[0]) {
                    case "create" -> load.create();
                    case "produce" -> load.produce();
                    case "fetch" -> load.fetch();
                    case "rebalance" -> load.rebalance();
                    default -> throw new IllegalArgumentException("no verb " + words[0]);
                }
            } catch (Exception exception) {
                String text = String.valueOf(exception).replaceAll("[\"\\\\\\p{Cntrl}]", " ");
                System.out.println("{\"error\":\"" + text + "\"}");
            }
        }
        System.exit(0);
    }
}
