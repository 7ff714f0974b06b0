import java.time.Duration;
import java.util.Arrays;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.state.Stores;

/**
 * Two usual Streams applications, at least once, with their state in memory and changelogs:
 *
 *     StreamsApp count|join BOOTSTRAP NAME STATE_DIRECTORY
 *
 * count counts the words of the topic NAME-in into NAME-out; join joins NAME-left with
 * NAME-right by key within ten seconds into NAME-out, as "left+right". Prints its state at
 * each change, and ends in good order at the end of its standard input.
 */
public final class StreamsApp {
    private static final Duration WINDOW = Duration.ofSeconds(10);

    private static void count(StreamsBuilder builder, String name) {
        KStream<String, String> lines = builder.stream(name + "-in");
        lines.flatMapValues(line -> Arrays.asList(line.split(" ")))
                .groupBy((key, word) -> word)
                .count(Materialized.<String, Long>as(Stores.inMemoryKeyValueStore("counts"))
                        .withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()))
                .toStream().mapValues(count -> "" + count).to(name + "-out");
    }

    private static void join(StreamsBuilder builder, String name) {
        KStream<String, String> left = builder.stream(name + "-left");
        KStream<String, String> right = builder.stream(name + "-right");
        // Both stores keep what a join may still need: the window before and after.
        Duration kept = WINDOW.multipliedBy(2);
        left.join(right, (one, other) -> one + "+" + other,
                JoinWindows.ofTimeDifferenceWithNoGrace(WINDOW),
                StreamJoined.with(Serdes.String(), Serdes.String(), Serdes.String())
                        .withThisStoreSupplier(Stores.inMemoryWindowStore(
                                "this", kept, kept, true))
                        .withOtherStoreSupplier(Stores.inMemoryWindowStore(
                                "other", kept, kept, true))).to(name + "-out");
    }

    public static void main(String[] arguments) throws Exception {
        String name = arguments[2];
        var config = new Properties();
        config.put("bootstrap.servers", arguments[1]);
        config.put("application.id", name);
        config.put("state.dir", arguments[3]);
        config.put("default.key.serde", Serdes.StringSerde.class.getName());
        config.put("default.value.serde", Serdes.StringSerde.class.getName());
        config.put("num.stream.threads", "2");
        config.put("commit.interval.ms", "200");
        config.put("session.timeout.ms", "6000");
        config.put("heartbeat.interval.ms", "500");
        config.put("auto.offset.reset", "earliest");
        var builder = new StreamsBuilder();
        if (arguments[0].equals("count")) {
            count(builder, name);
        } else {
            join(builder, name);
        }
        var streams = new KafkaStreams(builder.build(), config);
        streams.setStateListener((to, from) -> System.out.println(to));
        streams.setUncaughtExceptionHandler(thrown -> {
            thrown.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.start();
        while (System.in.read() >= 0) {
            continue;
        }
        System.exit(streams.close(Duration.ofSeconds(30)) ? 0 : 1);
    }
}
