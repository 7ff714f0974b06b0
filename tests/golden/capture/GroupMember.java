import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Real Java consumers in groups of both protocols, and a real administrator;
 * real_clients.py records what they say. What an administrator is refused is no concern.
 */
public final class GroupMember {
    private static final String TOPIC = "groups-java";
    private static final TopicPartition FIRST = new TopicPartition(TOPIC, 0);
    private static final Duration MOMENT = Duration.ofMillis(100);

    private final String bootstrap;
    private final Admin admin;

    private interface Call {
        KafkaFuture<?> start();
    }

    private GroupMember(String bootstrap) {
        this.bootstrap = bootstrap;
        this.admin = Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap));
    }

    private static void attempt(String what, Call call) {
        try {
            call.start().get();
        } catch (Exception exception) {
            System.err.println(what + ": " + exception.getMessage());
        }
    }

    private KafkaConsumer<String, String> consumer(String group, String... config) {
        var properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("group.id", group);
        properties.put("auto.offset.reset", "earliest");
        properties.put("client.rack", "rack-1");
        for (int i = 0; i < config.length; i += 2) {
            properties.put(config[i], config[i + 1]);
        }
        return new KafkaConsumer<>(properties, new StringDeserializer(),
                new StringDeserializer());
    }

    /** Poll until each consumer has partitions. */
    private static void settle(Collection<KafkaConsumer<String, String>> consumers) {
        long end = System.currentTimeMillis() + 30_000;
        while (System.currentTimeMillis() < end) {
            consumers.forEach(consumer -> consumer.poll(MOMENT));
            if (consumers.stream().noneMatch(consumer -> consumer.assignment().isEmpty())) {
                return;
            }
        }
        throw new IllegalStateException("no assignment");
    }

    private void describe(String group) {
        attempt("describe classic", () -> admin.describeClassicGroups(List.of(group)).all());
        attempt("describe", () -> admin.describeConsumerGroups(List.of(group)).all());
    }

    private void work(String group, List<KafkaConsumer<String, String>> consumers) {
        settle(consumers.subList(0, 1));
        settle(consumers);
        for (var consumer : consumers) {
            var offsets = new java.util.HashMap<TopicPartition, OffsetAndMetadata>();
            for (var partition : consumer.assignment()) {
                offsets.put(partition, new OffsetAndMetadata(2, Optional.of(0), "text"));
            }
            consumer.commitSync(offsets);
            consumer.committed(Set.of(FIRST));
        }
        describe(group);
        for (int i = 0; i < 35; i++) {
            consumers.forEach(consumer -> consumer.poll(MOMENT));
        }
        consumers.forEach(KafkaConsumer::close);
    }

    private void classic(String group, String... config) {
        var consumers = new ArrayList<KafkaConsumer<String, String>>();
        for (int i = 0; i < 2; i++) {
            var consumer = consumer(group, config);
            consumer.subscribe(List.of(TOPIC));
            consumers.add(consumer);
        }
        work(group, consumers);
    }

    private void modern(String group) {
        var named = consumer(group, "group.protocol", "consumer");
        named.subscribe(List.of(TOPIC));
        var pattern = consumer(group, "group.protocol", "consumer", "group.instance.id", "i-1",
                "group.remote.assignor", "range");
        pattern.subscribe(new SubscriptionPattern("groups-j.*"));
        work(group, List.of(named, pattern));
    }

    private void groups() {
        var offsets = Map.of(FIRST, new OffsetAndMetadata(1, Optional.of(0), "by admin"));
        attempt("list", () -> admin.listGroups().all());
        attempt("offsets", () -> admin.listConsumerGroupOffsets("java-classic").all());
        attempt("alter", () -> admin.alterConsumerGroupOffsets("java-classic", offsets).all());
        attempt("remove", () -> admin.removeMembersFromConsumerGroup("java-static",
                new RemoveMembersFromConsumerGroupOptions()).all());
        attempt("delete offsets", () -> admin.deleteConsumerGroupOffsets("java-classic",
                Set.of(FIRST)).all());
        attempt("delete", () -> admin.deleteConsumerGroups(
                List.of("java-classic", "no-such-group")).all());
    }

    private void replicas() {
        var replica = new TopicPartitionReplica(TOPIC, 0, 1);
        attempt("delete records", () -> admin.deleteRecords(
                Map.of(FIRST, RecordsToDelete.beforeOffset(1))).all());
        attempt("log dirs", () -> admin.describeLogDirs(List.of(1)).allDescriptions());
        attempt("replica's", () -> admin.describeReplicaLogDirs(List.of(replica)).all());
        attempt("move", () -> admin.alterReplicaLogDirs(Map.of(replica, "/no/such")).all());
        attempt("producers", () -> admin.describeProducers(List.of(FIRST)).all());
        attempt("elect", () -> admin.electLeaders(ElectionType.PREFERRED, Set.of(FIRST)).all());
        attempt("elect all", () -> admin.electLeaders(ElectionType.UNCLEAN, null).all());
        attempt("reassign", () -> admin.alterPartitionReassignments(Map.of(FIRST,
                Optional.of(new NewPartitionReassignment(List.of(9))))).all());
        attempt("reassignments", () -> admin.listPartitionReassignments().reassignments());
    }

    private void cluster() {
        var entity = new ClientQuotaEntity(Map.of("user", "u", "client-id", "c"));
        attempt("quorum", () -> admin.describeMetadataQuorum().quorumInfo());
        attempt("features", () -> admin.updateFeatures(Map.of("group.version",
                new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.UPGRADE)),
                new UpdateFeaturesOptions().validateOnly(true)).all());
        attempt("resources", () -> admin.listConfigResources().all());
        attempt("set quotas", () -> admin.alterClientQuotas(List.of(new ClientQuotaAlteration(
                entity, List.of(new ClientQuotaAlteration.Op("consumer_byte_rate", 1e6)))))
                .all());
        attempt("quotas", () -> admin.describeClientQuotas(ClientQuotaFilter.contains(List.of(
                ClientQuotaFilterComponent.ofEntity("user", "u")))).entities());
    }

    public static void main(String[] arguments) throws Exception {
        var all = new GroupMember(arguments[0]);
        all.admin.createTopics(List.of(new NewTopic(TOPIC, 4, (short) 1))).all().get();
        all.classic("java-classic");
        all.classic("java-sticky", "partition.assignment.strategy",
                "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
        var fixed = all.consumer("java-static", "group.instance.id", "instance-1");
        fixed.subscribe(List.of(TOPIC));
        settle(List.of(fixed));
        fixed.close();
        all.modern("java-modern");
        all.groups();
        all.replicas();
        all.cluster();
        all.admin.close();
    }
}
