// Members of a group by kafkajs; see tests/interop/README.md for the command line and lines.
'use strict';

const fs = require('fs');
const readline = require('readline');
const { Kafka, logLevel } = require('kafkajs');

const options = { 'session-ms': '6000', 'commit-ms': '300' };
for (let i = 2; i + 1 < process.argv.length; i += 2) {
  options[process.argv[i].slice(2)] = process.argv[i + 1];
}

// At once: nothing may be lost when we are killed.
function emit(member, event, more) {
  const at = Number(process.hrtime.bigint()) / 1e9;
  fs.writeSync(1, JSON.stringify({ event, member, at, ...more }) + '\n');
}

class Member {
  constructor(name) {
    this.name = name;
    this.owned = new Set();
    this.next = new Map(); // partition -> offset to commit
    this.done = new Map();
    this.commitAt = 0;
    this.term = 0; // of assignments: work of an older one is dropped
    const kafka = new Kafka({
      clientId: name, brokers: options.bootstrap.split(','), logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 100, retries: 30, maxRetryTime: 1000 },
    });
    this.consumer = kafka.consumer({
      groupId: options.group, sessionTimeout: Number(options['session-ms']),
      rebalanceTimeout: 20000, heartbeatInterval: 500, maxWaitTimeInMs: 100,
    });
  }

  lose(event) {
    this.term += 1;
    const partitions = [...this.owned];
    this.owned.clear();
    this.next.clear();
    this.done.clear();
    if (partitions.length > 0) emit(this.name, event, { partitions });
  }

  async commit() {
    const offsets = {};
    for (const [partition, offset] of this.next) {
      if (this.done.get(partition) !== offset) offsets[partition] = offset;
    }
    const list = Object.entries(offsets);
    if (list.length === 0) return;
    const { term } = this;
    emit(this.name, 'committing', { offsets });
    try {
      await this.consumer.commitOffsets(list.map(([partition, offset]) => ({
        topic: options.topic, partition: Number(partition), offset: String(offset) })));
    } catch (error) {
      // The heartbeat that follows tells the library, too: it joins again because of it.
      emit(this.name, 'commit_failed', { offsets, message: String(error) });
      return;
    }
    emit(this.name, 'committed', { offsets });
    if (term === this.term) {
      list.forEach(([partition, offset]) => this.done.set(Number(partition), offset));
    }
  }

  async batch({ batch, resolveOffset, heartbeat, isStale, isRunning }) {
    // A batch may have been asked for before a rebalance.
    if (!this.owned.has(batch.partition) || isStale() || !isRunning()) return;
    const offsets = batch.messages.map((message) => Number(message.offset));
    if (offsets.length > 0) {
      const last = offsets[offsets.length - 1];
      emit(this.name, 'records', {
        partition: batch.partition, first: offsets[0], last, count: offsets.length });
      this.next.set(batch.partition, last + 1);
      resolveOffset(String(last));
    }
    if (Date.now() >= this.commitAt) {
      this.commitAt = Date.now() + Number(options['commit-ms']);
      await this.commit();
    }
    await heartbeat();
  }

  async start() {
    const { consumer } = this;
    consumer.on(consumer.events.REBALANCING, () => this.lose('revoked'));
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.lose('lost');
      const partitions = payload.memberAssignment[options.topic] || [];
      partitions.forEach((partition) => this.owned.add(partition));
      emit(this.name, 'assigned', { partitions });
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      this.lose('lost');
      if (!payload.restart) {
        emit(this.name, 'error', { message: String(payload.error) });
        process.exit(1);
      }
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [options.topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: 1,
      eachBatch: (batch) => this.batch(batch),
    });
  }

  async close() {
    await this.consumer.stop();
    await this.commit();
    this.lose('revoked');
    await this.consumer.disconnect();
    emit(this.name, 'closed', {});
  }
}

const members = new Map();

function add(name) {
  const member = new Member(name);
  members.set(name, member);
  member.start().catch((error) => {
    emit(name, 'error', { message: String(error) });
    process.exit(1);
  });
}

async function main() {
  options.members.split(',').forEach(add);
  for await (const text of readline.createInterface({ input: process.stdin })) {
    const [command, name] = text.split(' ');
    if (command === 'quit') break;
    if (command === 'add') add(name);
    if (command === 'close') {
      await members.get(name).close();
      members.delete(name);
    }
  }
  await Promise.all([...members.values()].map((member) => member.close()));
  process.exit(0);
}

main();
