import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * One raw connection to a broker, and the store of the frames that went over it.
 *
 * <p>Used by Capture. call() encodes a request with Kafka's own message classes, sends it,
 * and returns the decoded response; save() does the same and keeps both frames, without
 * their length prefix, as ApiName/vN-request-capture-I.bin and the response beside it.
 */
final class Wire implements AutoCloseable {
    private final Socket socket;
    private final DataInputStream in;
    private final DataOutputStream out;
    private final Path directory;
    private int correlationId;

    Wire(String address, Path directory) throws IOException {
        int colon = address.lastIndexOf(':');
        this.socket = new Socket(address.substring(0, colon),
                Integer.parseInt(address.substring(colon + 1)));
        this.socket.setSoTimeout(30_000);
        this.in = new DataInputStream(socket.getInputStream());
        this.out = new DataOutputStream(socket.getOutputStream());
        this.directory = directory;
    }

    /** The bytes of one message as VERSION has them. */
    static ByteBuffer encode(Message message, short version) {
        var cache = new ObjectSerializationCache();
        var buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        buffer.flip();
        return buffer;
    }

    private static byte[] join(ByteBuffer head, ByteBuffer body) {
        return ByteBuffer.allocate(head.remaining() + body.remaining()).put(head).put(body)
                .array();
    }

    private byte[] send(ApiKeys api, short version, ApiMessage request) throws IOException {
        var header = new RequestHeaderData()
                .setRequestApiKey(api.id)
                .setRequestApiVersion(version)
                .setCorrelationId(++correlationId)
                .setClientId(correlationId % 5 == 4 ? null : "golden");
        byte[] frame = join(encode(header, api.requestHeaderVersion(version)),
                encode(request, version));
        out.writeInt(frame.length);
        out.write(frame);
        out.flush();
        return frame;
    }

    byte[] receive() throws IOException {
        byte[] frame = new byte[in.readInt()];
        in.readFully(frame);
        return frame;
    }

    /** Send raw BYTES as one frame and return the answer's. */
    byte[] raw(byte[] bytes) throws IOException {
        out.writeInt(bytes.length);
        out.write(bytes);
        out.flush();
        return receive();
    }

    private static ApiMessage decode(ApiKeys api, short version, byte[] frame) {
        var accessor = new ByteBufferAccessor(ByteBuffer.wrap(frame));
        new ResponseHeaderData(accessor, api.responseHeaderVersion(version));
        ApiMessage response = ApiMessageType.fromApiKey(api.id).newResponse();
        response.read(accessor, version);
        return response;
    }

    /** Send REQUEST and return the response. */
    <T> T call(ApiKeys api, int version, ApiMessage request, Class<T> type)
            throws IOException {
        send(api, (short) version, request);
        return type.cast(decode(api, (short) version, receive()));
    }

    /** Send REQUEST, keep its frame and, if EXPECT_REPLY, the response's, as number INDEX. */
    ApiMessage save(ApiKeys api, int version, int index, ApiMessage request,
            boolean expectReply) throws IOException {
        byte[] frame = send(api, (short) version, request);
        store(api, version, "request", index, frame);
        if (!expectReply) {
            return null;
        }
        byte[] reply = receive();
        store(api, version, "response", index, reply);
        return decode(api, (short) version, reply);
    }

    /** Send REQUEST and keep its frame; the answer comes later, by collect(). */
    void post(ApiKeys api, int version, int index, ApiMessage request) throws IOException {
        store(api, version, "request", index, send(api, (short) version, request));
    }

    <T> T collect(ApiKeys api, int version, int index, Class<T> type) throws IOException {
        byte[] reply = receive();
        store(api, version, "response", index, reply);
        return type.cast(decode(api, (short) version, reply));
    }

    void store(ApiKeys api, int version, String direction, int index, byte[] frame)
            throws IOException {
        Path folder = Files.createDirectories(directory.resolve(api.name));
        Files.write(folder.resolve(
                "v" + version + "-" + direction + "-capture-" + index + ".bin"), frame);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
