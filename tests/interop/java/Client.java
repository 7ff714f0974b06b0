import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The Java client behind the command line that all interop clients share; see
 * tests/interop/README.md for its commands, options and JSON lines.
 */
public final class Client {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final PrintStream OUT = new PrintStream(
            new java.io.FileOutputStream(java.io.FileDescriptor.out), false,
            StandardCharsets.UTF_8);

    private final Map<String, String> options = new HashMap<>();
    /** The library's, --set. */
    private final Map<String, String> settings = new HashMap<>();
    /** A topic's, --config. */
    private final Map<String, String> configs = new HashMap<>();
    private boolean failed;

    private Client(String[] arguments, int from) {
        for (int i = from; i < arguments.length; i += 2) {
            String name = arguments[i].substring(2);
            if (name.equals("set") || name.equals("config")) {
                String[] pair = arguments[i + 1].split("=", 2);
                (name.equals("set") ? settings : configs).put(pair[0], pair[1]);
            } else {
                options.put(name, arguments[i + 1]);
            }
        }
    }

    private String option(String name) {
        return Optional.ofNullable(options.get(name))
                .orElseThrow(() -> new IllegalArgumentException("--" + name + " is missing"));
    }

    private int number(String name, int otherwise) {
        return Integer.parseInt(options.getOrDefault(name, "" + otherwise));
    }

    private static void print(ObjectNode line) {
        OUT.println(line);
    }

    private ObjectNode error(Throwable thrown) {
        Throwable cause = thrown instanceof ExecutionException ? thrown.getCause() : thrown;
        failed = true;
        return JSON.createObjectNode().put("error", Errors.forException(cause).name())
                .put("message", cause.toString());
    }

    private static byte[] bytes(JsonNode node) {
        return node == null || node.isNull() ? null : Base64.getDecoder().decode(node.asText());
    }

    private static String text(byte[] bytes) {
        return bytes == null ? null : Base64.getEncoder().encodeToString(bytes);
    }

    private Properties clientConfig() {
        var config = new Properties();
        config.put("bootstrap.servers", option("bootstrap"));
        settings.forEach(config::put);
        return config;
    }

    // ---- produce ----

    private ProducerRecord<byte[], byte[]> record(JsonNode line) {
        List<Header> headers = new ArrayList<>();
        line.path("headers").forEach(header -> headers.add(
                new RecordHeader(header.get(0).asText(), bytes(header.get(1)))));
        Integer partition = line.hasNonNull("partition") ? line.get("partition").asInt() : null;
        Long timestamp = line.hasNonNull("timestamp") ? line.get("timestamp").asLong() : null;
        return new ProducerRecord<>(option("topic"), partition, timestamp,
                bytes(line.get("key")), bytes(line.get("value")), headers);
    }

    private void produce() throws Exception {
        var config = clientConfig();
        Map.of("codec", "compression.type", "acks", "acks", "idempotent", "enable.idempotence",
                "linger-ms", "linger.ms", "in-flight",
                "max.in.flight.requests.per.connection").forEach((name, setting) -> {
                    if (options.containsKey(name)) {
                        config.put(setting, options.get(name));
                    }
                });
        var serializer = new ByteArraySerializer();
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        List<Future<RecordMetadata>> results = new ArrayList<>();
        try (var producer = new KafkaProducer<>(config, serializer, serializer)) {
            for (String line = input.readLine(); line != null; line = input.readLine()) {
                results.add(producer.send(record(JSON.readTree(line))));
            }
            producer.flush();
        }
        for (int i = 0; i < results.size(); i++) {
            try {
                RecordMetadata done = results.get(i).get();
                print(JSON.createObjectNode().put("index", i)
                        .put("partition", done.partition()).put("offset", done.offset())
                        .put("timestamp", done.timestamp()));
            } catch (ExecutionException exception) {
                print(error(exception).put("index", i));
            }
        }
    }

    // ---- consume ----

    private static ObjectNode describe(ConsumerRecord<byte[], byte[]> record) {
        var line = JSON.createObjectNode().put("topic", record.topic())
                .put("partition", record.partition()).put("offset", record.offset())
                .put("timestamp", record.timestamp())
                .put("timestamp_type", record.timestampType().name)
                .put("key", text(record.key())).put("value", text(record.value()));
        var headers = line.putArray("headers");
        for (Header header : record.headers()) {
            headers.addArray().add(header.key()).add(text(header.value()));
        }
        return line;
    }

    private List<TopicPartition> partitions() {
        return Arrays.stream(option("partitions").split(","))
                .map(part -> new TopicPartition(option("topic"), Integer.parseInt(part)))
                .toList();
    }

    private void consume() {
        var config = clientConfig();
        config.putIfAbsent("auto.offset.reset", "none");
        var deserializer = new ByteArrayDeserializer();
        int left = number("count", 1);
        long deadline = System.nanoTime() + 1_000_000L * number("timeout-ms", 60_000);
        try (var consumer = new KafkaConsumer<>(config, deserializer, deserializer)) {
            var partitions = partitions();
            consumer.assign(partitions);
            String from = options.getOrDefault("from", "beginning");
            if (from.equals("beginning")) {
                consumer.seekToBeginning(partitions);
            } else if (from.equals("end")) {
                consumer.seekToEnd(partitions);
            } else {
                partitions.forEach(part -> consumer.seek(part, Long.parseLong(from)));
            }
            partitions.forEach(consumer::position);
            print(JSON.createObjectNode().put("event", "polling"));
            OUT.flush();
            while (left > 0 && System.nanoTime() < deadline) {
                for (var record : consumer.poll(Duration.ofMillis(500))) {
                    print(describe(record));
                    left--;
                }
            }
        } catch (RuntimeException exception) {
            print(error(exception));
        }
        failed |= left > 0;
    }

    private void offsets() throws Exception {
        long timestamp = Long.parseLong(option("timestamp"));
        OffsetSpec spec = timestamp == -1 ? OffsetSpec.latest()
                : timestamp == -2 ? OffsetSpec.earliest()
                : timestamp == -3 ? OffsetSpec.maxTimestamp()
                : OffsetSpec.forTimestamp(timestamp);
        var wanted = new HashMap<TopicPartition, OffsetSpec>();
        partitions().forEach(part -> wanted.put(part, spec));
        try (var admin = Admin.create(clientConfig())) {
            var results = admin.listOffsets(wanted);
            for (TopicPartition part : partitions()) {
                try {
                    var found = results.partitionResult(part).get();
                    print(JSON.createObjectNode().put("partition", part.partition())
                            .put("offset", found.offset()).put("timestamp", found.timestamp()));
                } catch (ExecutionException exception) {
                    print(error(exception).put("partition", part.partition()));
                }
            }
        }
    }

    // ---- admin ----

    private ConfigResource resource() {
        return options.containsKey("broker")
                ? new ConfigResource(ConfigResource.Type.BROKER, option("broker"))
                : new ConfigResource(ConfigResource.Type.TOPIC, option("topic"));
    }

    private void configs(Admin admin) throws Exception {
        var line = JSON.createObjectNode();
        var all = line.putObject("configs");
        for (ConfigEntry entry : admin.describeConfigs(List.of(resource())).all().get()
                .get(resource()).entries()) {
            all.putObject(entry.name()).put("value", entry.value())
                    .put("source", entry.source().name())
                    .put("default", entry.isDefault());
        }
        print(line);
    }

    private void alter(Admin admin) throws Exception {
        var operations = new ArrayList<AlterConfigOp>();
        configs.forEach((name, value) -> operations.add(new AlterConfigOp(
                new ConfigEntry(name, value), AlterConfigOp.OpType.SET)));
        if (options.containsKey("delete")) {
            operations.add(new AlterConfigOp(new ConfigEntry(option("delete"), null),
                    AlterConfigOp.OpType.DELETE));
        }
        admin.incrementalAlterConfigs(Map.of(resource(), operations)).all().get();
    }

    private void describe(Admin admin) throws Exception {
        var topic = admin.describeTopics(List.of(option("topic"))).allTopicNames().get()
                .get(option("topic"));
        var line = JSON.createObjectNode().put("topic", topic.name())
                .put("id", topic.topicId().toString());
        var parts = line.putArray("partitions");
        topic.partitions().forEach(part -> parts.addObject().put("partition", part.partition())
                .put("leader", part.leader().id()).put("replicas", part.replicas().size()));
        print(line);
    }

    private void cluster(Admin admin) throws Exception {
        var cluster = admin.describeCluster();
        var line = JSON.createObjectNode().put("cluster", cluster.clusterId().get())
                .put("controller", cluster.controller().get().id());
        var nodes = line.putArray("brokers");
        cluster.nodes().get().forEach(node -> nodes.addObject().put("id", node.id())
                .put("host", node.host()).put("port", node.port()));
        print(line);
    }

    private void admin(String command) throws Exception {
        var config = new Properties();
        config.put("bootstrap.servers", option("bootstrap"));
        try (var admin = Admin.create(config)) {
            switch (command) {
                case "create" -> admin.createTopics(List.of(new NewTopic(option("topic"),
                        Optional.of(number("partitions", -1)),
                        Optional.of((short) number("replication", -1))).configs(configs)))
                        .all().get();
                case "delete" -> admin.deleteTopics(List.of(option("topic"))).all().get();
                case "partitions" -> admin.createPartitions(Map.of(option("topic"),
                        NewPartitions.increaseTo(number("count", 1)))).all().get();
                case "configs" -> configs(admin);
                case "alter" -> alter(admin);
                case "describe" -> describe(admin);
                case "cluster" -> cluster(admin);
                case "list" -> {
                    var line = JSON.createObjectNode();
                    var names = line.putArray("topics");
                    admin.listTopics().names().get().forEach(names::add);
                    print(line);
                }
                default -> throw new IllegalArgumentException("no admin " + command);
            }
            if (List.of("create", "delete", "partitions", "alter").contains(command)) {
                print(JSON.createObjectNode().put("ok", true));
            }
        } catch (ExecutionException exception) {
            print(error(exception));
        }
    }

    public static void main(String[] arguments) throws Exception {
        boolean admin = arguments[0].equals("admin");
        var client = new Client(arguments, admin ? 2 : 1);
        switch (arguments[0]) {
            case "produce" -> client.produce();
            case "consume" -> client.consume();
            case "offsets" -> client.offsets();
            case "admin" -> client.admin(arguments[1]);
            default -> throw new IllegalArgumentException("no command " + arguments[0]);
        }
        OUT.flush();
        System.exit(client.failed ? 1 : 0);
    }
}
