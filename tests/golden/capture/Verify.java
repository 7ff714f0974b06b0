import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Pattern;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;

/**
 * Checks the golden frames with Kafka's own message classes: each must decode completely
 * and encode again to the same bytes. A frame that does not is named, and the exit status
 * is 1; with --print, every frame is printed in words instead.
 */
public final class Verify {
    private static final Pattern NAME =
            Pattern.compile("v(\\d+)-(request|response)-[a-z0-9_]+-\\d+\\.bin");

    private static ApiKeys apiOf(String name) {
        return Arrays.stream(ApiKeys.values()).filter(key -> key.name.equals(name))
                .findFirst().orElseThrow();
    }

    /** What is wrong with FILE, null if nothing is. */
    private static String check(Path file, boolean print) throws Exception {
        var match = NAME.matcher(file.getFileName().toString());
        if (!match.matches()) {
            return "has no proper name";
        }
        ApiKeys api = apiOf(file.getParent().getFileName().toString());
        short version = Short.parseShort(match.group(1));
        byte[] frame = Files.readAllBytes(file);
        var input = new ByteBufferAccessor(ByteBuffer.wrap(frame));
        ByteBuffer head;
        ApiMessage body;
        if (match.group(2).equals("request")) {
            short headerVersion = api.requestHeaderVersion(version);
            var header = new RequestHeaderData(input, headerVersion);
            if (header.requestApiKey() != api.id || header.requestApiVersion() != version) {
                return "is of another api or version";
            }
            head = Wire.encode(header, headerVersion);
            body = ApiMessageType.fromApiKey(api.id).newRequest();
        } else {
            short headerVersion = api.responseHeaderVersion(version);
            head = Wire.encode(new ResponseHeaderData(input, headerVersion), headerVersion);
            body = ApiMessageType.fromApiKey(api.id).newResponse();
        }
        body.read(input, version);
        if (input.remaining() > 0) {
            return "has " + input.remaining() + " bytes too many";
        }
        if (print) {
            System.out.println(file.getParent().getFileName() + "/" + file.getFileName()
                    + " (" + frame.length + "): " + body);
        }
        ByteBuffer tail = Wire.encode(body, version);
        byte[] again = ByteBuffer.allocate(head.remaining() + tail.remaining())
                .put(head).put(tail).array();
        return Arrays.equals(frame, again) ? null : "encodes to other bytes";
    }

    public static void main(String[] arguments) throws Exception {
        boolean print = arguments.length > 1 && arguments[1].equals("--print");
        int count = 0;
        int bad = 0;
        try (var files = Files.walk(Path.of(arguments[0]))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".bin")).sorted()
                    .toList()) {
                String wrong;
                try {
                    wrong = check(file, print);
                } catch (Exception exception) {
                    wrong = exception.toString();
                }
                count++;
                if (wrong != null) {
                    bad++;
                    System.out.println(file + " " + wrong);
                }
            }
        }
        System.out.println(count + " frames, " + bad + " bad");
        System.exit(bad == 0 && count > 0 ? 0 : 1);
    }
}
