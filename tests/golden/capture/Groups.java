import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupDescribeRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;

/**
 * Captures the frames of groups and their offsets. Members take part in turns, on
 * connections of their own where one has to wait for another; each version has groups of
 * its own. All the groups are coordinated by the first broker.
 */
final class Groups {
    private static final int JOIN_MAX = 9;
    private static final int SYNC_MAX = 5;
    private static final int HEARTBEAT_MAX = 4;
    private static final int LEAVE_MAX = 5;
    private static final int EMBEDDED_MAX = 3;

    private final String address;
    private final Path directory;
    private final Map<String, Uuid> topicIds = new HashMap<>();
    private Wire wire;
    private String missing;

    /** A member of a classic group, as the broker told it. */
    private record Member(String group, String id, String instance, int generation) {}

    Groups(String address, Path directory) {
        this.address = address;
        this.directory = directory;
    }

    void run() throws Exception {
        try (var first = new Wire(address, directory); var second = new Wire(address, directory)) {
            wire = first;
            wire.call(ApiKeys.METADATA, 12, new MetadataRequestData().setTopics(null),
                    MetadataResponseData.class).topics()
                    .forEach(topic -> topicIds.put(topic.name(), topic.topicId()));
            missing = coordinated("missing");
            var classic = new ArrayList<Member>();
            for (int v = 0; v <= JOIN_MAX; v++) {
                classic.add(classic(v, second));
                staticMember(v);
            }
            String modern = null;
            for (int v = 0; v <= 1; v++) {
                modern = modern(v);
            }
            String simple = offsets();
            describe(List.of(classic.get(JOIN_MAX).group, modern, simple, missing));
            deleteOffsets(List.of(simple, classic.get(JOIN_MAX).group, missing));
            leave(classic);
            deleteGroups(classic.get(JOIN_MAX));
        }
    }

    /** A name that begins with PREFIX, of a group that the first broker coordinates. */
    private String coordinated(String prefix) throws Exception {
        for (int i = 0; ; i++) {
            var key = prefix + "-" + i;
            var answer = wire.call(ApiKeys.FIND_COORDINATOR, 4,
                    new FindCoordinatorRequestData().setCoordinatorKeys(List.of(key)),
                    FindCoordinatorResponseData.class).coordinators().get(0);
            if (answer.errorCode() != 0) {
                i--;
                Thread.sleep(200);
            } else if (address.equals(answer.host() + ":" + answer.port())) {
                return key;
            }
        }
    }

    /** The same, with an offset: the coordinator has loaded what it knows of the group. */
    private String name(String prefix) throws Exception {
        String group = coordinated(prefix);
        var request = new OffsetCommitRequestData().setGroupId(group);
        while (true) {
            int error = 0;
            request.setTopics(List.of(committing("beta", 9, part(0, 1, null))));
            for (var topic : wire.call(ApiKeys.OFFSET_COMMIT, 9, request,
                    OffsetCommitResponseData.class).topics()) {
                error = topic.partitions().get(0).errorCode();
            }
            if (error == 0) {
                return group;
            }
            Thread.sleep(200);
        }
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] copy = new byte[buffer.remaining()];
        buffer.get(copy);
        return copy;
    }

    // ---- classic ----

    private static byte[] subscription(int version) {
        var owned = List.of(new TopicPartition("alpha", 1), new TopicPartition("beta", 0),
                new TopicPartition("alpha", 0));
        return bytes(ConsumerProtocol.serializeSubscription(new Subscription(
                List.of("alpha", "beta"), version == 1 ? null : ByteBuffer.wrap(new byte[] {7}),
                owned, 5, Optional.of("rack-ü")), (short) Math.min(version, EMBEDDED_MAX)));
    }

    private static byte[] assignment(int version) {
        return bytes(ConsumerProtocol.serializeAssignment(new Assignment(
                List.of(new TopicPartition("alpha", 0), new TopicPartition("beta", 1)),
                version == 1 ? null : ByteBuffer.wrap(new byte[] {1, 2})),
                (short) Math.min(version, EMBEDDED_MAX)));
    }

    private static JoinGroupRequestData joining(String group, int version, String member,
            String instance) {
        var request = new JoinGroupRequestData().setGroupId(group).setSessionTimeoutMs(30_000)
                .setRebalanceTimeoutMs(20_000).setMemberId(member).setProtocolType("consumer")
                .setGroupInstanceId(instance);
        for (String name : List.of("range", "cooperative-sticky")) {
            request.protocols().add(new JoinGroupRequestData.JoinGroupRequestProtocol()
                    .setName(name).setMetadata(subscription(version)));
        }
        return version >= 8 ? request.setReason("because ü") : request;
    }

    private JoinGroupResponseData join(int version, int index, JoinGroupRequestData request)
            throws Exception {
        return (JoinGroupResponseData) wire.save(ApiKeys.JOIN_GROUP, version, index, request,
                true);
    }

    private static SyncGroupRequestData syncing(Member member, int version, String... others) {
        var request = new SyncGroupRequestData().setGroupId(member.group)
                .setMemberId(member.id).setGenerationId(member.generation)
                .setGroupInstanceId(member.instance);
        for (String other : others) {
            request.assignments().add(new SyncGroupRequestData.SyncGroupRequestAssignment()
                    .setMemberId(other).setAssignment(assignment(version)));
        }
        return version >= 5 ? request.setProtocolType("consumer").setProtocolName("range")
                : request;
    }

    /** A version that has no frames to be kept does its work in the last one. */
    private void sync(Wire on, int version, int index, SyncGroupRequestData request)
            throws Exception {
        if (version <= SYNC_MAX) {
            on.save(ApiKeys.SYNC_GROUP, version, index, request, true);
        } else {
            on.call(ApiKeys.SYNC_GROUP, SYNC_MAX, request, SyncGroupResponseData.class);
        }
    }

    private void heartbeat(int version, int index, Member member, int generation, String id)
            throws Exception {
        if (version <= HEARTBEAT_MAX) {
            wire.save(ApiKeys.HEARTBEAT, version, index, new HeartbeatRequestData()
                    .setGroupId(member.group).setGenerationId(generation).setMemberId(id)
                    .setGroupInstanceId(member.instance), true);
        }
    }

    /** One member, errors, and then a second member: a whole rebalance. */
    private Member classic(int version, Wire other) throws Exception {
        String group = name("classic-" + version);
        var joined = join(version, 1, joining(group, version, "", null));
        if (version >= 4) {
            joined = join(version, 2, joining(group, version, joined.memberId(), null));
        }
        var alone = new Member(group, joined.memberId(), null, joined.generationId());
        sync(wire, version, 1, syncing(alone, version, alone.id));
        heartbeat(version, 1, alone, alone.generation, alone.id);
        heartbeat(version, 2, alone, alone.generation + 5, alone.id);
        heartbeat(version, 3, alone, alone.generation, "nobody");
        join(version, 3, joining(group, version, "nobody", null));
        join(version, 4, joining(group, version, "", null).setProtocolType("connect"));
        join(version, 5, new JoinGroupRequestData().setProtocolType("consumer"));
        sync(wire, version, 2, syncing(new Member(group, alone.id, null, 77), version));

        String second = "";
        if (version >= 4) {
            second = other.call(ApiKeys.JOIN_GROUP, version,
                    joining(group, version, "", null), JoinGroupResponseData.class).memberId();
        }
        other.post(ApiKeys.JOIN_GROUP, version, 6, joining(group, version, second, null));
        Thread.sleep(100);
        heartbeat(version, 4, alone, alone.generation, alone.id);
        joined = join(version, 7, joining(group, version, alone.id, null));
        var leader = new Member(group, alone.id, null, joined.generationId());
        second = other.collect(ApiKeys.JOIN_GROUP, version, 6, JoinGroupResponseData.class)
                .memberId();
        var follower = new Member(group, second, null, leader.generation);
        if (version <= SYNC_MAX) {
            other.post(ApiKeys.SYNC_GROUP, version, 3, syncing(follower, version));
        }
        sync(wire, version, 4, syncing(leader, version, leader.id, second));
        if (version <= SYNC_MAX) {
            other.collect(ApiKeys.SYNC_GROUP, version, 3, SyncGroupResponseData.class);
        }
        return leader;
    }

    /** A static member that comes back keeps its place. */
    private void staticMember(int version) throws Exception {
        if (version < 5) {
            return;
        }
        String group = name("static-" + version);
        var joined = join(version, 8, joining(group, version, "", "instance-ü"));
        var member = new Member(group, joined.memberId(), "instance-ü", joined.generationId());
        sync(wire, version, 5, syncing(member, version, member.id));
        var again = join(version, 9, joining(group, version, "", "instance-ü"));
        sync(wire, version, 6, syncing(member, version, member.id));
        heartbeat(version, 5, member, again.generationId(), again.memberId());
        // The id that was replaced is fenced.
        join(version, 10, joining(group, version, member.id, "instance-ü"));
    }

    private void leave(List<Member> members) throws Exception {
        for (int v = 0; v <= LEAVE_MAX; v++) {
            Member member = members.get(v);
            var request = new LeaveGroupRequestData().setGroupId(member.group);
            if (v < 3) {
                wire.save(ApiKeys.LEAVE_GROUP, v, 1, request.setMemberId(member.id), true);
                wire.save(ApiKeys.LEAVE_GROUP, v, 2, request.setMemberId("nobody"), true);
                continue;
            }
            var one = new LeaveGroupRequestData.MemberIdentity().setMemberId(member.id);
            var two = new LeaveGroupRequestData.MemberIdentity().setMemberId("")
                    .setGroupInstanceId("nobody");
            if (v >= 5) {
                one.setReason("because ü");
            }
            wire.save(ApiKeys.LEAVE_GROUP, v, 1, request.setMembers(List.of(one, two)), true);
            wire.save(ApiKeys.LEAVE_GROUP, v, 2, new LeaveGroupRequestData(), true);
        }
    }

    // ---- consumer groups ----

    private ConsumerGroupHeartbeatResponseData beat(int version, int index,
            ConsumerGroupHeartbeatRequestData request) throws Exception {
        return (ConsumerGroupHeartbeatResponseData) wire.save(
                ApiKeys.CONSUMER_GROUP_HEARTBEAT, version, index, request, true);
    }

    private static ConsumerGroupHeartbeatRequestData entering(String group, String member,
            String instance) {
        return new ConsumerGroupHeartbeatRequestData().setGroupId(group).setMemberId(member)
                .setInstanceId(instance).setMemberEpoch(0).setRebalanceTimeoutMs(30_000)
                .setRackId("rack-ü").setSubscribedTopicNames(List.of("alpha", "beta"))
                .setServerAssignor("uniform").setTopicPartitions(List.of());
    }

    private static ConsumerGroupHeartbeatRequestData living(
            ConsumerGroupHeartbeatResponseData last, String group) {
        return new ConsumerGroupHeartbeatRequestData().setGroupId(group)
                .setMemberId(last.memberId()).setMemberEpoch(last.memberEpoch());
    }

    private String modern(int version) throws Exception {
        String group = name("modern-" + version);
        String id = version == 0 ? "" : Uuid.randomUuid().toString();
        var last = beat(version, 1, entering(group, id, null));
        var owned = new ArrayList<ConsumerGroupHeartbeatRequestData.TopicPartitions>();
        for (var topic : last.assignment().topicPartitions()) {
            owned.add(new ConsumerGroupHeartbeatRequestData.TopicPartitions()
                    .setTopicId(topic.topicId()).setPartitions(topic.partitions()));
        }
        last = beat(version, 2, living(last, group).setTopicPartitions(owned));
        beat(version, 3, living(last, group));
        beat(version, 4, living(last, group).setMemberEpoch(99));
        beat(version, 5, living(last, group).setMemberId("nobody"));
        beat(version, 6, entering(group, Uuid.randomUuid().toString(), null)
                .setServerAssignor("no-such"));
        beat(version, 7, new ConsumerGroupHeartbeatRequestData());
        var fixed = beat(version, 8, entering(group, version == 0 ? ""
                : Uuid.randomUuid().toString(), "instance-ü"));
        var passing = beat(version, 9, entering(group, version == 0 ? ""
                : Uuid.randomUuid().toString(), null));
        beat(version, 10, living(passing, group).setMemberEpoch(-1));
        beat(version, 11, living(fixed, group).setMemberEpoch(-2).setInstanceId("instance-ü"));
        if (version >= 1) {
            beat(version, 12, entering(group, Uuid.randomUuid().toString(), null)
                    .setSubscribedTopicNames(null).setSubscribedTopicRegex("al.*|beta"));
            beat(version, 13, entering(group, Uuid.randomUuid().toString(), null)
                    .setSubscribedTopicNames(null).setSubscribedTopicRegex("(["));
        }
        // A classic member beside them, for the describing.
        var joined = wire.call(ApiKeys.JOIN_GROUP, JOIN_MAX, joining(group, JOIN_MAX, "", null),
                JoinGroupResponseData.class);
        wire.call(ApiKeys.JOIN_GROUP, JOIN_MAX, joining(group, JOIN_MAX, joined.memberId(),
                null), JoinGroupResponseData.class);
        return group;
    }

    private void describe(List<String> groups) throws Exception {
        for (int v = 0; v <= 6; v++) {
            wire.save(ApiKeys.DESCRIBE_GROUPS, v, 1, new DescribeGroupsRequestData()
                    .setGroups(groups).setIncludeAuthorizedOperations(v >= 3), true);
            wire.save(ApiKeys.DESCRIBE_GROUPS, v, 2, new DescribeGroupsRequestData(), true);
        }
        for (int v = 0; v <= 1; v++) {
            wire.save(ApiKeys.CONSUMER_GROUP_DESCRIBE, v, 1,
                    new ConsumerGroupDescribeRequestData().setGroupIds(groups)
                            .setIncludeAuthorizedOperations(true), true);
            wire.save(ApiKeys.CONSUMER_GROUP_DESCRIBE, v, 2,
                    new ConsumerGroupDescribeRequestData(), true);
        }
        for (int v = 0; v <= 5; v++) {
            wire.save(ApiKeys.LIST_GROUPS, v, 1, new ListGroupsRequestData(), true);
            if (v >= 4) {
                wire.save(ApiKeys.LIST_GROUPS, v, 2, new ListGroupsRequestData()
                        .setStatesFilter(List.of("Stable", "Empty")), true);
            }
            if (v >= 5) {
                wire.save(ApiKeys.LIST_GROUPS, v, 3, new ListGroupsRequestData()
                        .setTypesFilter(List.of("consumer")), true);
            }
        }
    }

    private void deleteOffsets(List<String> groups) throws Exception {
        int index = 0;
        for (String group : groups) {
            wire.save(ApiKeys.OFFSET_DELETE, 0, ++index, deleting(group), true);
        }
    }

    // ---- offsets ----

    private static OffsetCommitRequestData.OffsetCommitRequestPartition part(int index,
            long offset, String metadata) {
        return new OffsetCommitRequestData.OffsetCommitRequestPartition()
                .setPartitionIndex(index).setCommittedOffset(offset)
                .setCommittedMetadata(metadata);
    }

    private OffsetCommitRequestData.OffsetCommitRequestTopic committing(String name,
            int version, OffsetCommitRequestData.OffsetCommitRequestPartition... parts) {
        var topic = new OffsetCommitRequestData.OffsetCommitRequestTopic()
                .setPartitions(List.of(parts));
        if (version >= 6) {
            parts[0].setCommittedLeaderEpoch(3);
        }
        return version >= 10 ? topic.setTopicId(topicIds.getOrDefault(name, new Uuid(1, 2)))
                : topic.setName(name);
    }

    private void commit(int version, String group) throws Exception {
        var request = new OffsetCommitRequestData().setGroupId(group).setTopics(List.of(
                committing("alpha", version, part(0, 17, "text ü"), part(1, 4, null),
                        part(9, 1, "")),
                committing("nowhere", version, part(0, 1, "x")),
                committing("beta", version, part(1, 1L << 40, "m"))));
        if (version <= 4) {
            request.setRetentionTimeMs(86_400_000);
        }
        wire.save(ApiKeys.OFFSET_COMMIT, version, 1, request, true);
        var stranger = request.duplicate().setMemberId("nobody")
                .setGenerationIdOrMemberEpoch(5);
        if (version >= 7) {
            stranger.setGroupInstanceId("instance-ü");
        }
        wire.save(ApiKeys.OFFSET_COMMIT, version, 2, stranger, true);
        wire.save(ApiKeys.OFFSET_COMMIT, version, 3, new OffsetCommitRequestData()
                .setGroupId(missing).setMemberId("m").setGenerationIdOrMemberEpoch(1)
                .setTopics(List.of(committing("alpha", version, part(0, 1, "")))), true);
    }

    private OffsetFetchRequestData fetchingMany(int version, String group) {
        var some = new OffsetFetchRequestData.OffsetFetchRequestGroup().setGroupId(group);
        for (String name : List.of("alpha", "nowhere")) {
            var topic = new OffsetFetchRequestData.OffsetFetchRequestTopics()
                    .setPartitionIndexes(List.of(0, 1, 2));
            some.topics().add(version >= 10
                    ? topic.setTopicId(topicIds.getOrDefault(name, new Uuid(1, 2)))
                    : topic.setName(name));
        }
        var all = new OffsetFetchRequestData.OffsetFetchRequestGroup().setGroupId(group)
                .setTopics(null);
        var none = new OffsetFetchRequestData.OffsetFetchRequestGroup()
                .setGroupId(missing).setTopics(null);
        if (version >= 9) {
            none.setMemberId("nobody").setMemberEpoch(7);
        }
        return new OffsetFetchRequestData().setGroups(List.of(some, all, none))
                .setRequireStable(true);
    }

    private void fetch(int version, String group) throws Exception {
        if (version >= 8) {
            wire.save(ApiKeys.OFFSET_FETCH, version, 1, fetchingMany(version, group), true);
            wire.save(ApiKeys.OFFSET_FETCH, version, 2, new OffsetFetchRequestData(), true);
            return;
        }
        var some = new OffsetFetchRequestData().setGroupId(group);
        for (String name : List.of("alpha", "nowhere")) {
            some.topics().add(new OffsetFetchRequestData.OffsetFetchRequestTopic()
                    .setName(name).setPartitionIndexes(List.of(0, 1, 2)));
        }
        if (version >= 7) {
            some.setRequireStable(true);
        }
        wire.save(ApiKeys.OFFSET_FETCH, version, 1, some, true);
        wire.save(ApiKeys.OFFSET_FETCH, version, 2, some.duplicate()
                .setGroupId(missing), true);
        if (version >= 2) {
            wire.save(ApiKeys.OFFSET_FETCH, version, 3, new OffsetFetchRequestData()
                    .setGroupId(group).setTopics(null), true);
        }
    }

    private String offsets() throws Exception {
        String group = name("offsets");
        for (int v = 2; v <= 10; v++) {
            commit(v, group);
        }
        for (int v = 1; v <= 10; v++) {
            fetch(v, group);
        }
        return group;
    }

    private static OffsetDeleteRequestData deleting(String group) {
        var request = new OffsetDeleteRequestData().setGroupId(group);
        for (String name : List.of("alpha", "nowhere")) {
            request.topics().add(new OffsetDeleteRequestData.OffsetDeleteRequestTopic()
                    .setName(name).setPartitions(List.of(
                            new OffsetDeleteRequestData.OffsetDeleteRequestPartition(),
                            new OffsetDeleteRequestData.OffsetDeleteRequestPartition()
                                    .setPartitionIndex(1))));
        }
        return request;
    }

    private void deleteGroups(Member busy) throws Exception {
        for (int v = 0; v <= 2; v++) {
            String idle = name("idle-" + v);
            wire.save(ApiKeys.DELETE_GROUPS, v, 1, new DeleteGroupsRequestData()
                    .setGroupsNames(List.of(idle, busy.group, missing)), true);
            wire.save(ApiKeys.DELETE_GROUPS, v, 2, new DeleteGroupsRequestData(), true);
        }
    }
}
