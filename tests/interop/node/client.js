// The kafkajs client behind the command line that all interop clients share; see
// tests/interop/README.md for its commands, options and JSON lines.  It is used as a
// producer and for administration only: kafkajs consumes through groups alone.
'use strict';

const readline = require('readline');
const { Kafka, logLevel, CompressionTypes, CompressionCodecs, ConfigResourceTypes } =
  require('kafkajs');
const SnappyCodec = require('kafkajs-snappy');

CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec;

const CODECS = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
};

const options = {};
const settings = {}; // the library's, --set
const configs = {}; // a topic's, --config
let failed = false;

function parse(words) {
  for (let i = 0; i + 1 < words.length; i += 2) {
    const name = words[i].slice(2);
    if (name === 'set' || name === 'config') {
      const at = words[i + 1].indexOf('=');
      const target = name === 'set' ? settings : configs;
      target[words[i + 1].slice(0, at)] = words[i + 1].slice(at + 1);
    } else {
      options[name] = words[i + 1];
    }
  }
}

function option(name) {
  if (options[name] === undefined) throw new Error(`--${name} is missing`);
  return options[name];
}

function print(line) {
  process.stdout.write(JSON.stringify(line) + '\n');
}

// The innermost error that has Kafka's name for it.
function describeError(error) {
  failed = true;
  let found = error;
  while (found.type === undefined && (found.cause || (found.errors && found.errors[0]))) {
    found = found.cause || found.errors[0];
  }
  return { error: found.type || 'UNKNOWN', message: String(error) };
}

const bytes = (text) => (text === null || text === undefined ? null
  : Buffer.from(text, 'base64'));

function message(line) {
  const headers = {};
  for (const [key, value] of line.headers || []) {
    const known = headers[key];
    const next = bytes(value);
    headers[key] = known === undefined ? next : [].concat(known, next);
  }
  const result = { key: bytes(line.key), value: bytes(line.value), headers };
  if (line.partition !== undefined && line.partition !== null) result.partition = line.partition;
  if (line.timestamp) result.timestamp = String(line.timestamp);
  return result;
}

// kafkajs answers per partition with the base offset of all that one send() gave it, so
// the offset of a record is that of its partition's first one and its place behind it.
function printSent(records, firstIndex, answers) {
  const next = {};
  for (const answer of answers) next[answer.partition] = Number(answer.baseOffset);
  records.forEach((record, i) => {
    const partition = record.partition === undefined ? answers[0].partition : record.partition;
    const unknown = next[partition] === undefined || next[partition] < 0;
    print({ index: firstIndex + i, partition, offset: unknown ? -1 : next[partition]++ });
  });
}

async function produce(kafka) {
  const config = { allowAutoTopicCreation: true };
  if (options.idempotent) config.idempotent = options.idempotent === 'true';
  if (options['in-flight']) config.maxInFlightRequests = Number(options['in-flight']);
  const producer = kafka.producer(config);
  await producer.connect();
  const records = [];
  for await (const line of readline.createInterface({ input: process.stdin })) {
    records.push(message(JSON.parse(line)));
  }
  const acks = { 0: 0, 1: 1 }[options.acks];
  const size = Number(options['batch'] || 500);
  for (let first = 0; first < records.length; first += size) {
    const batch = records.slice(first, first + size);
    try {
      const answers = await producer.send({
        topic: option('topic'), acks: acks === undefined ? -1 : acks, messages: batch,
        compression: CODECS[options.codec || 'none'],
      });
      printSent(batch, first, answers);
    } catch (error) {
      const line = describeError(error);
      batch.forEach((_, i) => print({ index: first + i, ...line }));
    }
  }
  await producer.disconnect();
}

async function describeConfigs(admin) {
  const found = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: option('topic') }],
  });
  const all = {};
  for (const entry of found.resources[0].configEntries) {
    all[entry.configName] = { value: entry.configValue, default: entry.isDefault };
  }
  print({ configs: all });
}

// kafkajs has AlterConfigs only, which replaces all that was set.
async function alter(admin) {
  const entries = Object.entries(configs).map(([name, value]) => ({ name, value }));
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: option('topic'),
      configEntries: entries }],
  });
  print({ ok: true });
}

async function describe(admin) {
  const found = await admin.fetchTopicMetadata({ topics: [option('topic')] });
  const topic = found.topics[0];
  const partitions = topic.partitions.map((part) => ({
    partition: part.partitionId, leader: part.leader, replicas: part.replicas.length,
  }));
  partitions.sort((a, b) => a.partition - b.partition);
  print({ topic: topic.name, partitions });
}

async function offsets(kafka) {
  const admin = kafka.admin();
  await admin.connect();
  const timestamp = Number(option('timestamp'));
  const found = timestamp === -1 || timestamp === -2
    ? (await admin.fetchTopicOffsets(option('topic'))).map((part) => ({
      partition: part.partition, offset: timestamp === -1 ? part.high : part.low }))
    : await admin.fetchTopicOffsetsByTimestamp(option('topic'), timestamp);
  const wanted = option('partitions').split(',').map(Number);
  for (const part of found.sort((a, b) => a.partition - b.partition)) {
    if (wanted.includes(part.partition)) {
      print({ partition: part.partition, offset: Number(part.offset) });
    }
  }
  await admin.disconnect();
}

async function createTopic(admin) {
  const made = await admin.createTopics({ topics: [{
    topic: option('topic'),
    numPartitions: Number(options.partitions || -1),
    replicationFactor: Number(options.replication || -1),
    configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
  }] });
  // It answers false instead of failing when the topic exists.
  if (!made) throw Object.assign(new Error('exists'), { type: 'TOPIC_ALREADY_EXISTS' });
  print({ ok: true });
}

async function administrate(kafka, command) {
  const admin = kafka.admin();
  await admin.connect();
  try {
    switch (command) {
      case 'create': await createTopic(admin); break;
      case 'delete':
        await admin.deleteTopics({ topics: [option('topic')] });
        print({ ok: true });
        break;
      case 'partitions':
        await admin.createPartitions({ topicPartitions: [
          { topic: option('topic'), count: Number(option('count')) }] });
        print({ ok: true });
        break;
      case 'configs': await describeConfigs(admin); break;
      case 'alter': await alter(admin); break;
      case 'describe': await describe(admin); break;
      case 'cluster': {
        const found = await admin.describeCluster();
        print({ cluster: found.clusterId, controller: found.controller,
          brokers: found.brokers.map((b) => ({ id: b.nodeId, host: b.host, port: b.port })) });
        break;
      }
      case 'list': print({ topics: await admin.listTopics() }); break;
      default: throw new Error(`no admin ${command}`);
    }
  } catch (error) {
    print(describeError(error));
  } finally {
    await admin.disconnect();
  }
}

async function main() {
  const words = process.argv.slice(2);
  parse(words.slice(words[0] === 'admin' ? 2 : 1));
  const kafka = new Kafka({ clientId: 'interop', brokers: option('bootstrap').split(','),
    logLevel: logLevel.NOTHING, retry: { retries: Number(settings.retries || 8) } });
  if (words[0] === 'produce') await produce(kafka);
  else if (words[0] === 'offsets') await offsets(kafka);
  else if (words[0] === 'admin') await administrate(kafka, words[1]);
  else throw new Error(`no command ${words[0]}`);
  process.exitCode = failed ? 1 : 0;
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 2;
});
