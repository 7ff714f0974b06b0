import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.record.BaseRecords;
import org.apache.kafka.common.record.CompressionType;

/**
 * The requests that Capture sends, per api and version.
 *
 * <p>Each method returns its api's requests with every field that the version has set to
 * something that shows, and meant to bring out both results and errors. Names of topics
 * that a request makes contain the version, so that no two versions collide.
 */
final class Requests {
    private static final byte TOPIC = 2;
    private static final byte BROKER = 4;
    private static final Uuid NOWHERE = new Uuid(0x1122334455667788L, 0x99aabbccddeeff00L);

    private final Map<String, Uuid> topicIds;
    private final long producerId;
    private int sequence;

    Requests(Map<String, Uuid> topicIds, long producerId) {
        this.topicIds = topicIds;
        this.producerId = producerId;
    }

    List<? extends ApiMessage> of(ApiKeys api, int version) {
        return switch (api) {
            case PRODUCE -> produce(version);
            case FETCH -> fetch(version);
            case LIST_OFFSETS -> listOffsets(version);
            case METADATA -> metadata(version);
            case API_VERSIONS -> apiVersions(version);
            case CREATE_TOPICS -> createTopics(version);
            case DELETE_TOPICS -> deleteTopics(version);
            case INIT_PRODUCER_ID -> initProducerId(version);
            case OFFSET_FOR_LEADER_EPOCH -> offsetForLeaderEpoch(version);
            case DESCRIBE_CONFIGS -> describeConfigs(version);
            case ALTER_CONFIGS -> alterConfigs();
            case CREATE_PARTITIONS -> createPartitions(version);
            case INCREMENTAL_ALTER_CONFIGS -> incrementalAlterConfigs();
            case DESCRIBE_CLUSTER -> describeCluster(version);
            case FIND_COORDINATOR -> findCoordinator(version);
            case DESCRIBE_TOPIC_PARTITIONS -> describeTopicPartitions();
            default -> AdminRequests.of(api, version);
        };
    }

    private Uuid idOf(String topic) {
        return topicIds.getOrDefault(topic, NOWHERE);
    }

    // ---- Produce ----

    private static ProduceRequestData.PartitionProduceData part(int index, BaseRecords data) {
        return new ProduceRequestData.PartitionProduceData().setIndex(index).setRecords(data);
    }

    private ProduceRequestData.TopicProduceData produceTopic(int version, String name,
            ProduceRequestData.PartitionProduceData... parts) {
        var topic = new ProduceRequestData.TopicProduceData().setPartitionData(List.of(parts));
        return version >= 13 ? topic.setTopicId(idOf(name)) : topic.setName(name);
    }

    private static ProduceRequestData produceOf(int acks,
            ProduceRequestData.TopicProduceData... topics) {
        var data = new ProduceRequestData().setAcks((short) acks).setTimeoutMs(9000);
        data.topicData().addAll(List.of(topics));
        return data;
    }

    private List<ProduceRequestData> produce(int version) {
        var zstd = version >= 7 ? CompressionType.ZSTD : CompressionType.NONE;
        var everyCodec = produceOf(-1,
                produceTopic(version, "alpha",
                        part(0, Batches.plain(CompressionType.NONE, 7)),
                        part(1, Batches.plain(CompressionType.GZIP, 20))),
                produceTopic(version, "beta",
                        part(0, Batches.plain(CompressionType.SNAPPY, 20)),
                        part(1, Batches.plain(CompressionType.LZ4, 20))),
                produceTopic(version, "stamped", part(0, Batches.plain(zstd, 20))));
        // Unknown topic, a partition led elsewhere, one that is not there, a bad checksum,
        // a null key where one is needed, and beside them a good batch.
        var errors = produceOf(1,
                produceTopic(version, "nowhere", part(0, Batches.plain(CompressionType.NONE, 1))),
                produceTopic(version, "alpha", part(0, Batches.plain(CompressionType.NONE, 1)),
                        part(2, Batches.plain(CompressionType.NONE, 1)),
                        part(9, Batches.plain(CompressionType.NONE, 1))),
                produceTopic(version, "beta", part(0, Batches.corrupt())),
                produceTopic(version, "compacted",
                        part(0, Batches.plain(CompressionType.NONE, 6))));
        var records = Batches.records(3);
        var idempotent = produceOf(-1, produceTopic(version, "alpha",
                part(1, Batches.idempotent(CompressionType.LZ4, producerId, 0, sequence, false,
                        records))));
        sequence += records.length;
        var transactional = produceOf(-1, produceTopic(version, "alpha",
                part(0, Batches.idempotent(CompressionType.NONE, producerId + 1000, 3, 0, true,
                        Batches.records(1))))).setTransactionalId("tx-ü");
        var badAcks = produceOf(7, produceTopic(version, "alpha",
                part(0, Batches.plain(CompressionType.NONE, 1))));
        return List.of(everyCodec, errors, idempotent, transactional, badAcks, produceOf(-1));
    }

    /** Unacknowledged: it has no response. */
    ProduceRequestData produceWithoutAcks(int version) {
        return produceOf(0, produceTopic(version, "alpha",
                part(0, Batches.plain(CompressionType.NONE, 2))));
    }

    // ---- Fetch ----

    private FetchRequestData.FetchPartition fetchPart(int version, int index, long offset) {
        var part = new FetchRequestData.FetchPartition().setPartition(index)
                .setFetchOffset(offset).setPartitionMaxBytes(1500);
        if (version >= 17) {
            part.setReplicaDirectoryId(index == 1 ? NOWHERE : Uuid.ZERO_UUID);
        }
        if (version >= 18 && index == 1) {
            part.setHighWatermark(5);
        }
        return part;
    }

    private FetchRequestData.FetchTopic fetchTopic(int version, String name,
            FetchRequestData.FetchPartition... parts) {
        var topic = new FetchRequestData.FetchTopic().setPartitions(List.of(parts));
        return version >= 13 ? topic.setTopicId(idOf(name)) : topic.setTopic(name);
    }

    private static FetchRequestData fetchOf(int version, int sessionId, int sessionEpoch,
            FetchRequestData.FetchTopic... topics) {
        var data = new FetchRequestData().setMaxWaitMs(100).setMinBytes(1).setMaxBytes(7000)
                .setTopics(List.of(topics));
        return version >= 7 ? data.setSessionId(sessionId).setSessionEpoch(sessionEpoch) : data;
    }

    private List<FetchRequestData> fetch(int version) {
        var manyTopics = fetchOf(version, 0, -1,
                fetchTopic(version, "alpha", fetchPart(version, 0, 0), fetchPart(version, 1, 3)),
                fetchTopic(version, "beta", fetchPart(version, 0, 0), fetchPart(version, 1, 0)));
        var committed = fetchOf(version, 0, version >= 7 ? 0 : -1,
                fetchTopic(version, "transactions", fetchPart(version, 0, 0)),
                fetchTopic(version, "stamped", fetchPart(version, 0, 0)))
                .setIsolationLevel((byte) 1);
        if (version >= 11) {
            committed.setRackId("zone-ü");
        }
        var epochPart = fetchPart(version, 1, 2);
        if (version >= 9) {
            epochPart.setCurrentLeaderEpoch(77);
        }
        var errors = fetchOf(version, 0, -1,
                fetchTopic(version, "nowhere", fetchPart(version, 0, 0)),
                fetchTopic(version, "alpha", fetchPart(version, 0, 99_999), epochPart,
                        fetchPart(version, 2, 0), fetchPart(version, 9, 0)));
        var result = new ArrayList<>(List.of(manyTopics, committed, errors));
        if (version >= 7) {
            var forgotten = fetchOf(version, 4711, 3);
            var gone = new FetchRequestData.ForgottenTopic().setPartitions(List.of(0, 1));
            forgotten.setForgottenTopicsData(List.of(version >= 13
                    ? gone.setTopicId(idOf("beta")) : gone.setTopic("beta")));
            result.add(forgotten);
        }
        if (version >= 12) {
            // What a follower sends, with the tagged fields.
            var part = fetchPart(version, 0, 1).setCurrentLeaderEpoch(0).setLastFetchedEpoch(0)
                    .setLogStartOffset(0);
            var follower = fetchOf(version, 0, -1, fetchTopic(version, "alpha", part))
                    .setClusterId("not-this-cluster");
            result.add(version >= 15
                    ? follower.setReplicaState(new FetchRequestData.ReplicaState()
                            .setReplicaId(2).setReplicaEpoch(5))
                    : follower.setReplicaId(2));
        }
        return result;
    }

    /** From the broker that was restarted: the reader's last epoch ended before its offset. */
    FetchRequestData fetchDiverging(int version, long offset) {
        return fetchOf(version, 0, -1, fetchTopic(version, "alpha",
                fetchPart(version, 2, offset).setLastFetchedEpoch(0)));
    }

    // ---- offsets ----

    private static ListOffsetsRequestData.ListOffsetsPartition when(int version, int index,
            long timestamp) {
        var part = new ListOffsetsRequestData.ListOffsetsPartition().setPartitionIndex(index)
                .setTimestamp(timestamp);
        return version >= 4 ? part.setCurrentLeaderEpoch(index == 1 ? 0 : -1) : part;
    }

    private static ListOffsetsRequestData listOf(int version, long first, long second) {
        var data = new ListOffsetsRequestData().setReplicaId(-1).setTopics(List.of(
                new ListOffsetsRequestData.ListOffsetsTopic().setName("alpha").setPartitions(
                        List.of(when(version, 0, first), when(version, 1, second),
                                when(version, 2, second), when(version, 9, first))),
                new ListOffsetsRequestData.ListOffsetsTopic().setName("transactions")
                        .setPartitions(List.of(when(version, 0, first))),
                new ListOffsetsRequestData.ListOffsetsTopic().setName("nowhere")
                        .setPartitions(List.of(when(version, 0, second)))));
        if (version >= 2) {
            data.setIsolationLevel((byte) 1);
        }
        return version >= 10 ? data.setTimeoutMs(5000) : data;
    }

    private List<ListOffsetsRequestData> listOffsets(int version) {
        var result = new ArrayList<>(List.of(listOf(version, -1, -2),
                listOf(version, Batches.FIRST_TIMESTAMP_MS + 1500, Long.MAX_VALUE)));
        if (version >= 8) {
            result.add(listOf(version, -3, -4));
        }
        if (version >= 11) {
            result.add(listOf(version, -5, -6));
        }
        return result;
    }

    private static OffsetForLeaderEpochRequestData.OffsetForLeaderTopic epochsOf(String name,
            int... parts) {
        var topic = new OffsetForLeaderEpochRequestData.OffsetForLeaderTopic().setTopic(name);
        var list = new ArrayList<OffsetForLeaderEpochRequestData.OffsetForLeaderPartition>();
        for (int part : parts) {
            list.add(new OffsetForLeaderEpochRequestData.OffsetForLeaderPartition()
                    .setPartition(part).setLeaderEpoch(part == 1 ? 50 : 0)
                    .setCurrentLeaderEpoch(part == 2 ? 40 : -1));
        }
        return topic.setPartitions(list);
    }

    private List<OffsetForLeaderEpochRequestData> offsetForLeaderEpoch(int version) {
        var known = new OffsetForLeaderEpochRequestData();
        known.topics().addAll(List.of(epochsOf("alpha", 0, 1, 2, 9), epochsOf("beta", 0, 1)));
        var unknown = new OffsetForLeaderEpochRequestData();
        unknown.topics().addAll(List.of(epochsOf("nowhere", 0)));
        if (version >= 3) {
            known.setReplicaId(-1);
            unknown.setReplicaId(2);
        }
        return List.of(known, unknown);
    }

    // ---- cluster ----

    private static MetadataRequestData named(String... names) {
        var data = new MetadataRequestData().setTopics(new ArrayList<>());
        for (String name : names) {
            data.topics().add(new MetadataRequestData.MetadataRequestTopic().setName(name));
        }
        return data;
    }

    private List<MetadataRequestData> metadata(int version) {
        var some = named("alpha", "nowhere", "beta", "bad name!");
        if (version >= 4) {
            some.setAllowAutoTopicCreation(false);
        }
        if (version >= 8) {
            some.setIncludeTopicAuthorizedOperations(true);
        }
        var none = named();
        if (version >= 8 && version <= 10) {
            none.setIncludeClusterAuthorizedOperations(true);
        }
        var result = new ArrayList<>(List.of(some, none, named("alpha")));
        if (version >= 1) {
            result.add(named().setTopics(null));
        }
        if (version >= 12) {
            var byId = named().setAllowAutoTopicCreation(false);
            for (String name : List.of("alpha", "nowhere", "transactions")) {
                byId.topics().add(new MetadataRequestData.MetadataRequestTopic()
                        .setName(null).setTopicId(idOf(name)));
            }
            result.add(byId);
        }
        return result;
    }

    private List<ApiVersionsRequestData> apiVersions(int version) {
        if (version < 3) {
            return List.of(new ApiVersionsRequestData());
        }
        return List.of(
                new ApiVersionsRequestData().setClientSoftwareName("weft-golden")
                        .setClientSoftwareVersion("1.0"),
                new ApiVersionsRequestData().setClientSoftwareName("no good!")
                        .setClientSoftwareVersion(""));
    }

    private List<DescribeClusterRequestData> describeCluster(int version) {
        var all = new DescribeClusterRequestData().setIncludeClusterAuthorizedOperations(true);
        if (version >= 2) {
            all.setIncludeFencedBrokers(true);
        }
        var result = new ArrayList<>(List.of(new DescribeClusterRequestData(), all));
        if (version >= 1) {
            result.add(new DescribeClusterRequestData().setEndpointType((byte) 2));
        }
        return result;
    }

    private List<FindCoordinatorRequestData> findCoordinator(int version) {
        if (version >= 4) {
            return List.of(
                    new FindCoordinatorRequestData().setCoordinatorKeys(List.of("group-1", "g")),
                    new FindCoordinatorRequestData().setCoordinatorKeys(List.of()),
                    new FindCoordinatorRequestData().setKeyType((byte) 1)
                            .setCoordinatorKeys(List.of("transaction-1")));
        }
        var result = new ArrayList<>(List.of(new FindCoordinatorRequestData().setKey("group-1")));
        if (version >= 1) {
            result.add(new FindCoordinatorRequestData().setKey("t").setKeyType((byte) 1));
        }
        return result;
    }

    private List<DescribeTopicPartitionsRequestData> describeTopicPartitions() {
        var names = new ArrayList<DescribeTopicPartitionsRequestData.TopicRequest>();
        for (String name : List.of("alpha", "beta", "nowhere", "stamped", "transactions")) {
            names.add(new DescribeTopicPartitionsRequestData.TopicRequest().setName(name));
        }
        return List.of(
                new DescribeTopicPartitionsRequestData().setTopics(names),
                new DescribeTopicPartitionsRequestData().setTopics(names)
                        .setResponsePartitionLimit(4),
                new DescribeTopicPartitionsRequestData().setTopics(names)
                        .setCursor(new DescribeTopicPartitionsRequestData.Cursor()
                                .setTopicName("beta").setPartitionIndex(1)),
                new DescribeTopicPartitionsRequestData());
    }

    private List<InitProducerIdRequestData> initProducerId(int version) {
        var result = new ArrayList<>(List.of(
                new InitProducerIdRequestData().setTransactionalId(null)
                        .setTransactionTimeoutMs(60_000),
                new InitProducerIdRequestData().setTransactionalId("")
                        .setTransactionTimeoutMs(60_000),
                new InitProducerIdRequestData().setTransactionalId("tx-" + version)
                        .setTransactionTimeoutMs(60_000)));
        if (version >= 3) {
            result.add(new InitProducerIdRequestData().setTransactionalId(null)
                    .setTransactionTimeoutMs(1).setProducerId(producerId)
                    .setProducerEpoch((short) 0));
        }
        return result;
    }

    // ---- topics ----

    private static CreateTopicsRequestData.CreatableTopic creatable(String name, int parts,
            int factor, String... configs) {
        var topic = new CreateTopicsRequestData.CreatableTopic().setName(name)
                .setNumPartitions(parts).setReplicationFactor((short) factor);
        for (int i = 0; i < configs.length; i += 2) {
            topic.configs().add(new CreateTopicsRequestData.CreatableTopicConfig()
                    .setName(configs[i]).setValue(configs[i + 1]));
        }
        return topic;
    }

    private static CreateTopicsRequestData creating(CreateTopicsRequestData.CreatableTopic... t) {
        var data = new CreateTopicsRequestData().setTimeoutMs(15_000);
        data.topics().addAll(List.of(t));
        return data;
    }

    private List<CreateTopicsRequestData> createTopics(int version) {
        var assigned = creatable("made-" + version + "-b", -1, -1);
        for (int i = 0; i < 2; i++) {
            assigned.assignments().add(new CreateTopicsRequestData.CreatableReplicaAssignment()
                    .setPartitionIndex(i).setBrokerIds(List.of(1 + i, 2 - i)));
        }
        var good = creating(
                creatable("made-" + version + "-a", 3, 1, "cleanup.policy", "compact",
                        "retention.ms", "86400000"),
                assigned,
                version >= 4 ? creatable("made-" + version + "-c", -1, -1)
                        : creatable("made-" + version + "-c", 1, 2));
        var bad = creating(creatable("alpha", 1, 1), creatable("bad name!", 1, 1),
                creatable("made-" + version + "-d", 0, 1),
                creatable("made-" + version + "-e", 1, 9),
                creatable("made-" + version + "-f", 1, 1, "no.such.config", "1"),
                creatable("made-" + version + "-g", 1, 1, "retention.ms", null));
        var dry = creating(creatable("made-" + version + "-h", 2, 2)).setValidateOnly(true);
        return List.of(good, bad, dry, creating());
    }

    private List<DeleteTopicsRequestData> deleteTopics(int version) {
        if (version < 6) {
            var names = List.of("gone-" + version, "nowhere", "bad name!");
            return List.of(new DeleteTopicsRequestData().setTopicNames(names).setTimeoutMs(9000),
                    new DeleteTopicsRequestData());
        }
        var both = new DeleteTopicsRequestData().setTimeoutMs(9000);
        for (String name : List.of("gone-6", "nowhere")) {
            both.topics().add(new DeleteTopicsRequestData.DeleteTopicState().setName(name));
        }
        for (String name : List.of("gone-1", "gone-7")) {
            both.topics().add(new DeleteTopicsRequestData.DeleteTopicState().setName(null)
                    .setTopicId(idOf(name)));
        }
        return List.of(both, new DeleteTopicsRequestData());
    }

    private static CreatePartitionsRequestData.CreatePartitionsTopic growing(String name,
            int count, List<List<Integer>> brokers) {
        var topic = new CreatePartitionsRequestData.CreatePartitionsTopic().setName(name)
                .setCount(count).setAssignments(null);
        if (brokers != null) {
            topic.setAssignments(brokers.stream().map(ids ->
                    new CreatePartitionsRequestData.CreatePartitionsAssignment()
                            .setBrokerIds(ids)).toList());
        }
        return topic;
    }

    private static CreatePartitionsRequestData growingAll(
            Collection<CreatePartitionsRequestData.CreatePartitionsTopic> topics) {
        var data = new CreatePartitionsRequestData().setTimeoutMs(9000);
        data.topics().addAll(topics);
        return data;
    }

    private List<CreatePartitionsRequestData> createPartitions(int version) {
        int count = 4 + version;
        var good = growingAll(List.of(growing("grown", count, null),
                growing("assigned", count, List.of(List.of(2)))));
        var bad = growingAll(List.of(growing("alpha", 1, null), growing("nowhere", 5, null),
                growing("beta", 3, List.of(List.of(1), List.of(2)))));
        var dry = growingAll(List.of(growing("grown", 50, null))).setValidateOnly(true);
        return List.of(good, bad, dry);
    }

    // ---- configurations ----

    private static DescribeConfigsRequestData.DescribeConfigsResource resource(int type,
            String name, List<String> keys) {
        return new DescribeConfigsRequestData.DescribeConfigsResource()
                .setResourceType((byte) type).setResourceName(name).setConfigurationKeys(keys);
    }

    private List<DescribeConfigsRequestData> describeConfigs(int version) {
        var all = new DescribeConfigsRequestData().setIncludeSynonyms(true)
                .setResources(List.of(resource(TOPIC, "stamped", null)));
        var some = new DescribeConfigsRequestData().setResources(List.of(
                resource(BROKER, "1", List.of("num.partitions", "broker.rack", "node.id",
                        "message.max.bytes", "ssl.keystore.password", "log.cleaner.threads")),
                resource(TOPIC, "compacted", List.of("cleanup.policy", "no.such.config")),
                resource(TOPIC, "nowhere", null),
                resource(TOPIC, "bad name!", List.of()),
                resource(BROKER, "99", null)));
        if (version >= 3) {
            some.setIncludeDocumentation(true);
        }
        // One resource of an unknown type spoils the whole request.
        var odd = new DescribeConfigsRequestData().setResources(List.of(
                resource(77, "odd", null), resource(TOPIC, "alpha", List.of("retention.ms"))));
        return List.of(all, some, odd, new DescribeConfigsRequestData());
    }

    private static AlterConfigsRequestData.AlterConfigsResource replacing(int type, String name,
            String... configs) {
        var resource = new AlterConfigsRequestData.AlterConfigsResource()
                .setResourceType((byte) type).setResourceName(name);
        for (int i = 0; i < configs.length; i += 2) {
            resource.configs().add(new AlterConfigsRequestData.AlterableConfig()
                    .setName(configs[i]).setValue(configs[i + 1]));
        }
        return resource;
    }

    private static AlterConfigsRequestData replacingAll(boolean validateOnly,
            AlterConfigsRequestData.AlterConfigsResource... resources) {
        var data = new AlterConfigsRequestData().setValidateOnly(validateOnly);
        data.resources().addAll(List.of(resources));
        return data;
    }

    private static List<AlterConfigsRequestData> alterConfigs() {
        return List.of(
                replacingAll(false,
                        replacing(TOPIC, "grown", "retention.ms", "1000000",
                                "cleanup.policy", "delete"),
                        replacing(TOPIC, "nowhere", "retention.ms", "1"),
                        replacing(TOPIC, "alpha", "no.such.config", "1"),
                        replacing(TOPIC, "beta", "retention.ms", "soon")),
                replacingAll(true, replacing(TOPIC, "alpha", "retention.ms", null),
                        replacing(TOPIC, "beta"), replacing(77, "odd", "x", "")));
    }

    private static IncrementalAlterConfigsRequestData.AlterConfigsResource altering(int type,
            String name, Object... configs) {
        var resource = new IncrementalAlterConfigsRequestData.AlterConfigsResource()
                .setResourceType((byte) type).setResourceName(name);
        for (int i = 0; i < configs.length; i += 3) {
            resource.configs().add(new IncrementalAlterConfigsRequestData.AlterableConfig()
                    .setName((String) configs[i])
                    .setConfigOperation(((Integer) configs[i + 1]).byteValue())
                    .setValue((String) configs[i + 2]));
        }
        return resource;
    }

    private static IncrementalAlterConfigsRequestData alteringAll(boolean validateOnly,
            IncrementalAlterConfigsRequestData.AlterConfigsResource... resources) {
        var data = new IncrementalAlterConfigsRequestData().setValidateOnly(validateOnly);
        data.resources().addAll(List.of(resources));
        return data;
    }

    private static List<IncrementalAlterConfigsRequestData> incrementalAlterConfigs() {
        return List.of(
                alteringAll(false,
                        altering(TOPIC, "grown", "segment.ms", 0, "3600000",
                                "retention.ms", 1, null, "cleanup.policy", 2, "compact"),
                        altering(TOPIC, "beta", "cleanup.policy", 3, "delete"),
                        altering(TOPIC, "nowhere", "retention.ms", 0, "1"),
                        altering(TOPIC, "alpha", "retention.ms", 2, "1"),
                        altering(TOPIC, "stamped", "no.such.config", 0, "1")),
                alteringAll(true, altering(TOPIC, "alpha", "retention.ms", 0, "5"),
                        altering(TOPIC, "beta", "retention.ms", 0, null),
                        altering(77, "odd", "x", 0, "")),
                // One operation that does not exist spoils the whole request.
                alteringAll(false, altering(TOPIC, "alpha", "retention.ms", 9, "5"),
                        altering(TOPIC, "beta", "retention.ms", 0, "5")));
    }
}
