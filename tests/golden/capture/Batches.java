import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.record.SimpleRecord;
import org.apache.kafka.common.record.TimestampType;

/** The record batches that Capture sends: small, and with every part a record can have. */
final class Batches {
    /** Not now: the captured bytes should not depend on the day. */
    static final long FIRST_TIMESTAMP_MS = 1_700_000_000_000L;

    private Batches() {}

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** COUNT records a second apart: with and without key, value and headers. */
    static SimpleRecord[] records(int count) {
        var records = new SimpleRecord[count];
        for (int i = 0; i < count; i++) {
            Header[] headers = i % 3 == 0 ? new Header[0] : new Header[] {
                new RecordHeader("trace", utf8("id-" + i)),
                new RecordHeader("empty", new byte[0]),
                new RecordHeader("null", (byte[]) null)};
            byte[] key = i % 4 == 1 ? null : utf8("key-" + i);
            byte[] value = i % 5 == 2 ? null : utf8("value-" + i + " ".repeat(i % 7) + "ü€");
            records[i] = new SimpleRecord(FIRST_TIMESTAMP_MS + 1000L * i, key, value, headers);
        }
        return records;
    }

    static MemoryRecords plain(CompressionType codec, int count) {
        return MemoryRecords.withRecords(Compression.of(codec).build(), records(count));
    }

    static MemoryRecords idempotent(CompressionType codec, long producerId, int epoch,
            int sequence, boolean transactional, SimpleRecord... records) {
        return MemoryRecords.withRecords(RecordBatch.MAGIC_VALUE_V2, 0L,
                Compression.of(codec).build(), TimestampType.CREATE_TIME, producerId,
                (short) epoch, sequence, RecordBatch.NO_PARTITION_LEADER_EPOCH,
                transactional, records);
    }

    /** A batch whose checksum is wrong by one bit. */
    static MemoryRecords corrupt() {
        MemoryRecords records = plain(CompressionType.NONE, 1);
        var bytes = records.buffer();
        bytes.put(17, (byte) (bytes.get(17) ^ 1));
        return records;
    }
}
