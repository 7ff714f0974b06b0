// kafkajs in a group; real_clients.py records what it says.
//
//     group_members.js BOOTSTRAP
'use strict';

const { Kafka, logLevel } = require('kafkajs');

const TOPIC = 'groups-kafkajs';
const GROUP = 'kafkajs';

async function attempt(what, call) {
  try {
    await call();
  } catch (error) {
    console.error(`${what}: ${error.message}`);
  }
}

async function main() {
  const kafka = new Kafka({ brokers: [process.argv[2]], logLevel: logLevel.ERROR });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 4 }] });
  const producer = kafka.producer();
  await producer.connect();
  const members = [0, 1].map(() =>
    kafka.consumer({ groupId: GROUP, heartbeatInterval: 500 }));
  let joined = 0;
  for (const member of members) {
    await member.connect();
    await member.subscribe({ topics: [TOPIC], fromBeginning: true });
    member.on(member.events.GROUP_JOIN, () => { joined += 1; });
    await member.run({ eachMessage: async () => {} });
  }
  for (let tries = 0; joined < 3 && tries < 60; tries++) {
    await new Promise((done) => setTimeout(done, 500));
  }
  await producer.send({ topic: TOPIC, messages: [{ value: 'x' }, { value: 'y' }] });
  await new Promise((done) => setTimeout(done, 3000));
  await attempt('list', () => admin.listGroups());
  await attempt('describe', () => admin.describeGroups([GROUP]));
  for (const member of members) await member.disconnect();
  await attempt('offsets', () => admin.fetchOffsets({ groupId: GROUP, topics: [TOPIC] }));
  await attempt('set', () => admin.setOffsets({
    groupId: GROUP, topic: TOPIC, partitions: [{ partition: 0, offset: '0' }] }));
  await attempt('records', () => admin.deleteTopicRecords({
    topic: TOPIC, partitions: [{ partition: 0, offset: '0' }] }));
  await attempt('reassign', () => admin.alterPartitionReassignments({
    topics: [{ topic: TOPIC, partitionAssignment: [{ partition: 0, replicas: [9] }] }] }));
  await attempt('reassignments', () => admin.listPartitionReassignments({
    topics: [{ topic: TOPIC, partitions: [0] }] }));
  await attempt('delete', () => admin.deleteGroups([GROUP]));
  await producer.disconnect();
  await admin.disconnect();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
