import java.util.List;
import org.apache.kafka.common.message.AlterClientQuotasRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DescribeClientQuotasRequestData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.DescribeQuorumRequestData;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.ListConfigResourcesRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/** What administrators ask of a cluster: replicas, quotas, features. See Requests. */
final class AdminRequests {
    private static final byte CLIENT_METRICS = 16;
    private static final byte GROUP = 32;

    private AdminRequests() {}

    static List<? extends ApiMessage> of(ApiKeys api, int version) {
        return switch (api) {
            case DELETE_RECORDS -> deleteRecords();
            case ALTER_REPLICA_LOG_DIRS -> alterReplicaLogDirs();
            case DESCRIBE_LOG_DIRS -> describeLogDirs();
            case ELECT_LEADERS -> electLeaders(version);
            case ALTER_PARTITION_REASSIGNMENTS -> alterReassignments(version);
            case LIST_PARTITION_REASSIGNMENTS -> listReassignments();
            case DESCRIBE_CLIENT_QUOTAS -> describeClientQuotas();
            case ALTER_CLIENT_QUOTAS -> List.of(quotas(), badQuotas(),
                    new AlterClientQuotasRequestData());
            case DESCRIBE_QUORUM -> describeQuorum();
            case UPDATE_FEATURES -> updateFeatures(version);
            case DESCRIBE_PRODUCERS -> describeProducers();
            case LIST_CONFIG_RESOURCES -> listConfigResources(version);
            default -> throw new IllegalArgumentException(api.name);
        };
    }

    // ---- partitions ----

    private static DeleteRecordsRequestData.DeleteRecordsTopic trimming(String name,
            long... offsets) {
        var topic = new DeleteRecordsRequestData.DeleteRecordsTopic().setName(name);
        for (int i = 0; i < offsets.length; i++) {
            topic.partitions().add(new DeleteRecordsRequestData.DeleteRecordsPartition()
                    .setPartitionIndex(i).setOffset(offsets[i]));
        }
        return topic;
    }

    private static List<DeleteRecordsRequestData> deleteRecords() {
        return List.of(
                new DeleteRecordsRequestData().setTimeoutMs(5000)
                        .setTopics(List.of(trimming("trimmed", 3, -1))),
                new DeleteRecordsRequestData().setTimeoutMs(5000).setTopics(List.of(
                        trimming("trimmed", 77, -5, 0), trimming("nowhere", 0),
                        trimming("compacted", 1))),
                new DeleteRecordsRequestData());
    }

    private static List<AlterReplicaLogDirsRequestData> alterReplicaLogDirs() {
        var request = new AlterReplicaLogDirsRequestData();
        for (String path : List.of("/no/such/directory", "not absolute")) {
            var dir = new AlterReplicaLogDirsRequestData.AlterReplicaLogDir().setPath(path);
            for (String name : List.of("alpha", "nowhere")) {
                dir.topics().add(new AlterReplicaLogDirsRequestData.AlterReplicaLogDirTopic()
                        .setName(name + (path.startsWith("/") ? "" : "-2"))
                        .setPartitions(List.of(0, 1)));
            }
            request.dirs().add(dir);
        }
        return List.of(request, new AlterReplicaLogDirsRequestData());
    }

    private static List<DescribeLogDirsRequestData> describeLogDirs() {
        var some = new DescribeLogDirsRequestData();
        for (String name : List.of("alpha", "nowhere")) {
            some.topics().add(new DescribeLogDirsRequestData.DescribableLogDirTopic()
                    .setTopic(name).setPartitions(List.of(0, 1, 9)));
        }
        return List.of(some, new DescribeLogDirsRequestData().setTopics(null),
                new DescribeLogDirsRequestData());
    }

    private static List<DescribeProducersRequestData> describeProducers() {
        var request = new DescribeProducersRequestData();
        for (String name : List.of("alpha", "transactions", "nowhere")) {
            request.topics().add(new DescribeProducersRequestData.TopicRequest().setName(name)
                    .setPartitionIndexes(List.of(0, 1, 2)));
        }
        return List.of(request, new DescribeProducersRequestData());
    }

    private static List<ElectLeadersRequestData> electLeaders(int version) {
        var some = new ElectLeadersRequestData().setTimeoutMs(9000);
        for (String name : List.of("alpha", "nowhere")) {
            some.topicPartitions().add(new ElectLeadersRequestData.TopicPartitions()
                    .setTopic(name).setPartitions(List.of(0, 9)));
        }
        var all = new ElectLeadersRequestData().setTopicPartitions(null);
        if (version == 0) {
            return List.of(some, all);
        }
        return List.of(some, all, some.duplicate().setElectionType((byte) 1));
    }

    private static AlterPartitionReassignmentsRequestData.ReassignableTopic reassigning(
            String name, int partition, List<Integer> replicas) {
        return new AlterPartitionReassignmentsRequestData.ReassignableTopic().setName(name)
                .setPartitions(List.of(
                        new AlterPartitionReassignmentsRequestData.ReassignablePartition()
                                .setPartitionIndex(partition).setReplicas(replicas)));
    }

    private static List<AlterPartitionReassignmentsRequestData> alterReassignments(
            int version) {
        var good = new AlterPartitionReassignmentsRequestData().setTimeoutMs(9000)
                .setTopics(List.of(reassigning("moved", version, List.of(2, 1))));
        var bad = new AlterPartitionReassignmentsRequestData().setTopics(List.of(
                reassigning("alpha", 0, null), reassigning("beta", 0, List.of(99)),
                reassigning("nowhere", 0, List.of(1)), reassigning("beta", 9, List.of())));
        if (version == 0) {
            return List.of(good, bad);
        }
        return List.of(good, bad, new AlterPartitionReassignmentsRequestData()
                .setAllowReplicationFactorChange(false)
                .setTopics(List.of(reassigning("alpha", 1, List.of(1, 2)))));
    }

    /** For the list below: what the follower cannot copy before it was asked. */
    static AlterPartitionReassignmentsRequestData underway() {
        return new AlterPartitionReassignmentsRequestData().setTopics(List.of(
                reassigning("grown", 0, List.of(2)), reassigning("grown", 1, List.of(2))));
    }

    private static List<ListPartitionReassignmentsRequestData> listReassignments() {
        var some = new ListPartitionReassignmentsRequestData().setTimeoutMs(9000)
                .setTopics(List.of("grown", "nowhere").stream().map(name ->
                        new ListPartitionReassignmentsRequestData
                                .ListPartitionReassignmentsTopics().setName(name)
                                .setPartitionIndexes(List.of(0, 1))).toList());
        return List.of(new ListPartitionReassignmentsRequestData().setTopics(null), some);
    }

    // ---- cluster ----

    private static List<DescribeQuorumRequestData> describeQuorum() {
        return List.of("__cluster_metadata", "alpha").stream().map(name ->
                new DescribeQuorumRequestData().setTopics(List.of(
                        new DescribeQuorumRequestData.TopicData().setTopicName(name)
                                .setPartitions(List.of(
                                        new DescribeQuorumRequestData.PartitionData()
                                                .setPartitionIndex(0)))))).toList();
    }

    private static UpdateFeaturesRequestData.FeatureUpdateKey feature(int version,
            String name, int level) {
        var update = new UpdateFeaturesRequestData.FeatureUpdateKey().setFeature(name)
                .setMaxVersionLevel((short) level);
        return version == 0 ? update.setAllowDowngrade(level == 0)
                : update.setUpgradeType((byte) (level == 0 ? 2 : 1));
    }

    private static UpdateFeaturesRequestData updating(
            UpdateFeaturesRequestData.FeatureUpdateKey... updates) {
        var request = new UpdateFeaturesRequestData().setTimeoutMs(9000);
        request.featureUpdates().addAll(List.of(updates));
        return request;
    }

    private static List<UpdateFeaturesRequestData> updateFeatures(int version) {
        var same = updating(feature(version, "transaction.version", 2),
                feature(version, "group.version", 1));
        var bad = updating(feature(version, "no.such.feature", 3),
                feature(version, "group.version", 99));
        if (version == 0) {
            return List.of(same, bad);
        }
        return List.of(same, bad, updating(feature(version, "share.version", 0))
                .setValidateOnly(true));
    }

    private static List<ListConfigResourcesRequestData> listConfigResources(int version) {
        if (version == 0) {
            return List.of(new ListConfigResourcesRequestData());
        }
        return List.of(new ListConfigResourcesRequestData(),
                new ListConfigResourcesRequestData().setResourceTypes(
                        List.of((byte) 4, CLIENT_METRICS, GROUP)),
                new ListConfigResourcesRequestData().setResourceTypes(List.of((byte) 77)));
    }

    private static IncrementalAlterConfigsRequestData.AlterConfigsResource setting(byte type,
            String name, String key, String value) {
        var resource = new IncrementalAlterConfigsRequestData.AlterConfigsResource()
                .setResourceType(type).setResourceName(name);
        resource.configs().add(new IncrementalAlterConfigsRequestData.AlterableConfig()
                .setName(key).setConfigOperation((byte) 0).setValue(value));
        return resource;
    }

    /** Gives the lists something that is configured. */
    static IncrementalAlterConfigsRequestData configured() {
        var request = new IncrementalAlterConfigsRequestData();
        request.resources().add(setting(CLIENT_METRICS, "golden", "interval.ms", "5000"));
        request.resources().add(setting(GROUP, "golden-ü", "consumer.session.timeout.ms",
                "46000"));
        return request;
    }

    // ---- quotas ----

    private static AlterClientQuotasRequestData.EntityData entity(String type, String name) {
        return new AlterClientQuotasRequestData.EntityData().setEntityType(type)
                .setEntityName(name);
    }

    private static AlterClientQuotasRequestData.OpData op(String key, double value,
            boolean remove) {
        return new AlterClientQuotasRequestData.OpData().setKey(key).setValue(value)
                .setRemove(remove);
    }

    static AlterClientQuotasRequestData quotas() {
        return new AlterClientQuotasRequestData().setEntries(List.of(
                new AlterClientQuotasRequestData.EntryData()
                        .setEntity(List.of(entity("user", "ü"), entity("client-id", null)))
                        .setOps(List.of(op("producer_byte_rate", 123456789, false),
                                op("consumer_byte_rate", 1e9, false))),
                new AlterClientQuotasRequestData.EntryData()
                        .setEntity(List.of(entity("user", "other")))
                        .setOps(List.of(op("request_percentage", 0.1 + 400, false),
                                op("consumer_byte_rate", 0, true)))));
    }

    private static AlterClientQuotasRequestData badQuotas() {
        return new AlterClientQuotasRequestData().setValidateOnly(true).setEntries(List.of(
                new AlterClientQuotasRequestData.EntryData()
                        .setEntity(List.of(entity("user", "u")))
                        .setOps(List.of(op("no_such_quota", -1.5, false))),
                new AlterClientQuotasRequestData.EntryData()
                        .setEntity(List.of(entity("planet", "mars")))
                        .setOps(List.of(op("producer_byte_rate", 1, false)))));
    }

    private static DescribeClientQuotasRequestData.ComponentData component(String type,
            int match, String name) {
        return new DescribeClientQuotasRequestData.ComponentData().setEntityType(type)
                .setMatchType((byte) match).setMatch(name);
    }

    private static List<DescribeClientQuotasRequestData> describeClientQuotas() {
        return List.of(new DescribeClientQuotasRequestData(),
                new DescribeClientQuotasRequestData().setStrict(true).setComponents(List.of(
                        component("user", 0, "ü"), component("client-id", 1, null))),
                new DescribeClientQuotasRequestData().setComponents(List.of(
                        component("user", 2, null))),
                new DescribeClientQuotasRequestData().setComponents(List.of(
                        component("planet", 0, "mars"))));
    }
}
