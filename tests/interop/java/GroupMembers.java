import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Members of a group by the Java client: range, cooperative, consumer.  See
 * tests/interop/README.md for the command line and the lines.
 */
public final class GroupMembers {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final PrintStream OUT = new PrintStream(
            new java.io.FileOutputStream(java.io.FileDescriptor.out), true,
            StandardCharsets.UTF_8);

    private static ObjectNode line(String member, String event) {
        return JSON.createObjectNode().put("event", event).put("member", member)
                .put("at", System.nanoTime() / 1e9);
    }

    private static synchronized void print(ObjectNode line) {
        OUT.println(line);
    }

    /** One consumer and its thread. */
    private static final class Member extends Thread implements ConsumerRebalanceListener {
        private final Map<String, String> options;
        private final String name;
        private final KafkaConsumer<byte[], byte[]> consumer;
        private final Set<TopicPartition> owned = new HashSet<>();
        private final Map<TopicPartition, Long> next = new HashMap<>();
        private final Map<TopicPartition, Long> done = new HashMap<>();
        private volatile boolean closing;

        Member(Map<String, String> options, String name) {
            this.options = options;
            this.name = name;
            var config = new Properties();
            config.put("bootstrap.servers", options.get("bootstrap"));
            config.put("group.id", options.get("group"));
            config.put("client.id", name);
            config.put("enable.auto.commit", "false");
            config.put("auto.offset.reset", "earliest");
            config.put("fetch.max.wait.ms", "100");
            String protocol = options.get("protocol");
            if (protocol.equals("consumer")) {
                config.put("group.protocol", "consumer");
            } else {
                config.put("session.timeout.ms", options.get("session-ms"));
                config.put("heartbeat.interval.ms", "500");
                config.put("partition.assignment.strategy",
                        "org.apache.kafka.clients.consumer." + (protocol.equals("cooperative")
                                ? "CooperativeStickyAssignor" : "RangeAssignor"));
            }
            var deserializer = new ByteArrayDeserializer();
            consumer = new KafkaConsumer<>(config, deserializer, deserializer);
        }

        private void ownership(String event, Collection<TopicPartition> parts) {
            var line = line(name, event);
            var numbers = line.putArray("partitions");
            parts.forEach(part -> numbers.add(part.partition()));
            // An epoch of the new protocol is a member's own: it says nothing of others.
            if (event.equals("assigned") && !options.get("protocol").equals("consumer")) {
                line.put("generation", consumer.groupMetadata().generationId());
            }
            print(line);
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> parts) {
            owned.addAll(parts);
            ownership("assigned", parts);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> parts) {
            commit(parts);
            owned.removeAll(parts);
            next.keySet().removeAll(parts);
            done.keySet().removeAll(parts);
            ownership("revoked", parts);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> parts) {
            owned.removeAll(parts);
            next.keySet().removeAll(parts);
            done.keySet().removeAll(parts);
            ownership("lost", parts);
        }

        private void commit(Collection<TopicPartition> parts) {
            var offsets = new HashMap<TopicPartition, OffsetAndMetadata>();
            var told = JSON.createObjectNode();
            next.forEach((part, offset) -> {
                if (parts.contains(part) && !offset.equals(done.get(part))) {
                    offsets.put(part, new OffsetAndMetadata(offset));
                    told.put("" + part.partition(), offset);
                }
            });
            if (offsets.isEmpty()) {
                return;
            }
            print(line(name, "committing").set("offsets", told));
            try {
                consumer.commitSync(offsets, Duration.ofSeconds(10));
                offsets.forEach((part, offset) -> done.put(part, offset.offset()));
                print(line(name, "committed").set("offsets", told));
            } catch (KafkaException exception) {
                ObjectNode failed = line(name, "commit_failed").put("message",
                        exception.toString());
                print(failed.set("offsets", told));
            }
        }

        private ConsumerRecords<byte[], byte[]> poll() {
            try {
                return consumer.poll(Duration.ofMillis(100));
            } catch (IllegalStateException exception) {
                // Of the new protocol's consumer, when it is fenced while it polls: it looks
                // up a position that another thread of it has just dropped.
                if (!("" + exception.getMessage()).startsWith("No current assignment")) {
                    throw exception;
                }
                return ConsumerRecords.empty();
            }
        }

        @Override
        public void run() {
            long commitMs = Long.parseLong(options.get("commit-ms"));
            long commitAt = 0;
            try (consumer) {
                consumer.subscribe(List.of(options.get("topic")), this);
                while (!closing) {
                    var records = poll();
                    for (TopicPartition part : records.partitions()) {
                        if (!owned.contains(part)) {
                            // The new protocol's consumer hands over what it had fetched
                            // before it said that the partition was lost.
                            continue;
                        }
                        var found = records.records(part);
                        long last = found.get(found.size() - 1).offset();
                        print(line(name, "records").put("partition", part.partition())
                                .put("first", found.get(0).offset()).put("last", last)
                                .put("count", found.size()));
                        next.put(part, last + 1);
                    }
                    if (System.nanoTime() >= commitAt) {
                        commit(List.copyOf(next.keySet()));
                        commitAt = System.nanoTime() + commitMs * 1_000_000;
                    }
                    // Small answers of many partitions: some of them at a time.
                    Thread.sleep(50);
                }
            } catch (Throwable thrown) {
                print(line(name, "error").put("message", thrown.toString()));
                Runtime.getRuntime().halt(1);
            }
            print(line(name, "closed"));
        }
    }

    public static void main(String[] arguments) throws Exception {
        var options = new HashMap<>(Map.of("session-ms", "6000", "commit-ms", "300"));
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            options.put(arguments[i].substring(2), arguments[i + 1]);
        }
        var members = new LinkedHashMap<String, Member>();
        for (String name : options.get("members").split(",")) {
            members.put(name, new Member(options, name));
            members.get(name).start();
        }
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String text; (text = in.readLine()) != null && !text.equals("quit");) {
            String[] words = text.split(" ");
            if (words[0].equals("add")) {
                members.put(words[1], new Member(options, words[1]));
                members.get(words[1]).start();
            } else if (words[0].equals("close")) {
                members.get(words[1]).closing = true;
            }
        }
        for (Member member : members.values()) {
            member.closing = true;
        }
        for (Member member : members.values()) {
            member.join();
        }
    }
}
