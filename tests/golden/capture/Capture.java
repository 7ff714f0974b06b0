import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AlterClientQuotasResponseData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Captures golden frames from a cluster of two real brokers; tests/golden/make drives it.
 *
 * <p>`seed B1 B2` makes topics and records. Then broker 2 is restarted, which moves the
 * leader epochs of its partitions on. `frames B1 B2 DIRECTORY` sends every api in every
 * version to broker 1 and stores requests and responses.
 */
public final class Capture {
    private static final Map<ApiKeys, int[]> VERSIONS = Map.ofEntries(
            Map.entry(ApiKeys.PRODUCE, new int[] {3, 13}),
            Map.entry(ApiKeys.FETCH, new int[] {4, 18}),
            Map.entry(ApiKeys.LIST_OFFSETS, new int[] {1, 11}),
            Map.entry(ApiKeys.METADATA, new int[] {0, 13}),
            Map.entry(ApiKeys.API_VERSIONS, new int[] {0, 4}),
            Map.entry(ApiKeys.CREATE_TOPICS, new int[] {2, 7}),
            Map.entry(ApiKeys.DELETE_TOPICS, new int[] {1, 6}),
            Map.entry(ApiKeys.INIT_PRODUCER_ID, new int[] {0, 5}),
            Map.entry(ApiKeys.OFFSET_FOR_LEADER_EPOCH, new int[] {2, 4}),
            Map.entry(ApiKeys.DESCRIBE_CONFIGS, new int[] {1, 4}),
            Map.entry(ApiKeys.ALTER_CONFIGS, new int[] {0, 2}),
            Map.entry(ApiKeys.CREATE_PARTITIONS, new int[] {0, 3}),
            Map.entry(ApiKeys.INCREMENTAL_ALTER_CONFIGS, new int[] {0, 1}),
            Map.entry(ApiKeys.DESCRIBE_CLUSTER, new int[] {0, 2}),
            Map.entry(ApiKeys.FIND_COORDINATOR, new int[] {0, 6}),
            Map.entry(ApiKeys.DESCRIBE_TOPIC_PARTITIONS, new int[] {0, 0}),
            Map.entry(ApiKeys.DELETE_RECORDS, new int[] {0, 2}),
            Map.entry(ApiKeys.ALTER_REPLICA_LOG_DIRS, new int[] {1, 2}),
            Map.entry(ApiKeys.DESCRIBE_LOG_DIRS, new int[] {1, 4}),
            Map.entry(ApiKeys.ELECT_LEADERS, new int[] {0, 2}),
            Map.entry(ApiKeys.ALTER_PARTITION_REASSIGNMENTS, new int[] {0, 1}),
            Map.entry(ApiKeys.LIST_PARTITION_REASSIGNMENTS, new int[] {0, 0}),
            Map.entry(ApiKeys.DESCRIBE_CLIENT_QUOTAS, new int[] {0, 1}),
            Map.entry(ApiKeys.ALTER_CLIENT_QUOTAS, new int[] {0, 1}),
            Map.entry(ApiKeys.DESCRIBE_QUORUM, new int[] {0, 2}),
            Map.entry(ApiKeys.UPDATE_FEATURES, new int[] {0, 2}),
            Map.entry(ApiKeys.DESCRIBE_PRODUCERS, new int[] {0, 0}),
            Map.entry(ApiKeys.LIST_CONFIG_RESOURCES, new int[] {0, 1}));

    /** Makes the captures' bytes independent of the order of a map. */
    private static List<ApiKeys> apis() {
        return VERSIONS.keySet().stream().sorted().toList();
    }

    /** A topic whose partition I is led by the I-th of LEADERS. */
    private static CreateTopicsRequestData.CreatableTopic topic(String name, int[] leaders,
            String... configs) {
        var topic = new CreateTopicsRequestData.CreatableTopic().setName(name)
                .setNumPartitions(-1).setReplicationFactor((short) -1);
        for (int i = 0; i < leaders.length; i++) {
            topic.assignments().add(new CreateTopicsRequestData.CreatableReplicaAssignment()
                    .setPartitionIndex(i).setBrokerIds(List.of(leaders[i])));
        }
        for (int i = 0; i < configs.length; i += 2) {
            topic.configs().add(new CreateTopicsRequestData.CreatableTopicConfig()
                    .setName(configs[i]).setValue(configs[i + 1]));
        }
        return topic;
    }

    private static void createTopics(Wire wire) throws Exception {
        var create = new CreateTopicsRequestData().setTimeoutMs(30_000);
        create.topics().add(topic("alpha", new int[] {1, 1, 2}));
        create.topics().add(topic("beta", new int[] {1, 1}));
        create.topics().add(topic("stamped", new int[] {1}, "message.timestamp.type",
                "LogAppendTime", "retention.ms", "-1"));
        create.topics().add(topic("compacted", new int[] {1}, "cleanup.policy", "compact"));
        create.topics().add(topic("transactions", new int[] {1}));
        create.topics().add(topic("grown", new int[] {1, 1, 1}));
        create.topics().add(topic("trimmed", new int[] {1, 1, 2}));
        create.topics().add(topic("moved", new int[] {1, 1}));
        create.topics().add(topic("assigned", new int[] {1, 1, 1}));
        for (int i = 1; i <= 7; i++) {
            create.topics().add(topic("gone-" + i, new int[] {1}));
        }
        var done = wire.call(ApiKeys.CREATE_TOPICS, 7, create, CreateTopicsResponseData.class);
        for (var result : done.topics()) {
            require(result.errorCode(), "create " + result.name());
        }
    }

    private static void require(int errorCode, String what) {
        if (errorCode != 0) {
            throw new IllegalStateException(what + ": error " + errorCode);
        }
    }

    private static void produceOne(Wire wire, String topic, int partition, int count)
            throws Exception {
        var data = new ProduceRequestData().setAcks((short) -1).setTimeoutMs(9000);
        data.topicData().add(new ProduceRequestData.TopicProduceData().setName(topic)
                .setPartitionData(List.of(new ProduceRequestData.PartitionProduceData()
                        .setIndex(partition)
                        .setRecords(Batches.plain(CompressionType.NONE, count)))));
        for (int tries = 0; ; tries++) {
            var done = wire.call(ApiKeys.PRODUCE, 9, data, ProduceResponseData.class);
            int error = done.responses().iterator().next().partitionResponses().get(0)
                    .errorCode();
            if (error == 0) {
                return;
            }
            if (tries == 100) {
                require(error, "produce to " + topic);
            }
            Thread.sleep(100);
        }
    }

    /** One committed and two aborted transactions, for the list of aborted ones. */
    private static void transactions(String bootstrap) {
        var config = new Properties();
        config.put("bootstrap.servers", bootstrap);
        config.put("transactional.id", "seed");
        config.put("compression.type", "zstd");
        var serializer = new StringSerializer();
        try (var producer = new KafkaProducer<>(config, serializer, serializer)) {
            producer.initTransactions();
            for (int i = 0; i < 3; i++) {
                producer.beginTransaction();
                producer.send(new ProducerRecord<>("transactions", 0, "key-" + i, "value"));
                producer.flush();
                if (i == 1) {
                    producer.commitTransaction();
                } else {
                    producer.abortTransaction();
                }
            }
        }
    }

    private static void seed(String first, String second) throws Exception {
        try (var wire = new Wire(first, Path.of("."));
                var other = new Wire(second, Path.of("."))) {
            createTopics(wire);
            produceOne(wire, "alpha", 0, 5);
            produceOne(other, "alpha", 2, 5);
            produceOne(wire, "trimmed", 0, 9);
            produceOne(wire, "moved", 0, 9);
        }
        transactions(first);
    }

    /** The broker may first have to fetch a block of ids: it is asked until it has one. */
    private static long newProducerId(Wire wire) throws Exception {
        for (int tries = 0; ; tries++) {
            var done = wire.call(ApiKeys.INIT_PRODUCER_ID, 4,
                    new InitProducerIdRequestData().setTransactionalId(null)
                            .setTransactionTimeoutMs(1000), InitProducerIdResponseData.class);
            if (done.errorCode() == 0) {
                return done.producerId();
            }
            if (tries == 100) {
                require(done.errorCode(), "new producer id");
            }
            Thread.sleep(100);
        }
    }

    private static Map<String, Uuid> topicIds(Wire wire) throws Exception {
        var all = wire.call(ApiKeys.METADATA, 12, new MetadataRequestData().setTopics(null),
                MetadataResponseData.class);
        var ids = new HashMap<String, Uuid>();
        all.topics().forEach(topic -> ids.put(topic.name(), topic.topicId()));
        return ids;
    }

    private static void captureApi(String address, Path directory, Requests requests,
            ApiKeys api, int version) throws Exception {
        try (var wire = new Wire(address, directory)) {
            int index = 0;
            if (api == ApiKeys.LIST_PARTITION_REASSIGNMENTS) {
                wire.call(ApiKeys.ALTER_PARTITION_REASSIGNMENTS, 1, AdminRequests.underway(),
                        AlterPartitionReassignmentsResponseData.class);
            }
            for (var request : requests.of(api, version)) {
                wire.save(api, version, ++index, request, true);
            }
            if (api == ApiKeys.PRODUCE) {
                wire.save(api, version, ++index, requests.produceWithoutAcks(version), false);
            }
        }
    }

    private static void frames(String first, String second, Path directory) throws Exception {
        new Groups(first, directory).run();
        Requests requests;
        try (var wire = new Wire(first, directory)) {
            requests = new Requests(topicIds(wire), newProducerId(wire));
            // An ApiVersions request of a version from the future is answered in version 0.
            byte[] future = {0, 18, 0, 99, 0, 0, 0, 7, 0, 1, 'x', 0};
            wire.store(ApiKeys.API_VERSIONS, 0, "response", 9, wire.raw(future));
        }
        try (var wire = new Wire(first, directory)) {
            wire.call(ApiKeys.INCREMENTAL_ALTER_CONFIGS, 1, AdminRequests.configured(),
                    IncrementalAlterConfigsResponseData.class);
            wire.call(ApiKeys.ALTER_CLIENT_QUOTAS, 1, AdminRequests.quotas(),
                    AlterClientQuotasResponseData.class);
        }
        for (ApiKeys api : apis()) {
            for (int v = VERSIONS.get(api)[0]; v <= VERSIONS.get(api)[1]; v++) {
                captureApi(first, directory, requests, api, v);
            }
        }
        try (var wire = new Wire(second, directory)) {
            produceOne(wire, "alpha", 2, 5);
            for (int v = 12; v <= 18; v++) {
                wire.save(ApiKeys.FETCH, v, 6, requests.fetchDiverging(v, 8), true);
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("seed")) {
            seed(arguments[1], arguments[2]);
        } else {
            frames(arguments[1], arguments[2], Path.of(arguments[3]));
        }
    }
}
