import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's command-line tools, one after the other, in this one virtual machine.
 *
 * Each line of standard input is {"class": "org...", "arguments": [...], "input": "..."}; the
 * answer is a line {"exit": 0, "out": "..."} with what the tool wrote to both its outputs.
 * What the tools' scripts do beside naming the class is not needed. Some show their help by a
 * library that ends the virtual machine: then "exit" is null, and there is no further answer.
 */
public final class Tools {
    /** Thrown in place of ending the process. */
    private static final class Ended extends Error {
        final int status;

        Ended(int status) {
            super(null, null, false, false);
            this.status = status;
        }
    }

    private static int status;
    private static boolean ended;
    private static final List<Runnable> HOOKS = new CopyOnWriteArrayList<>();
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final PrintStream ANSWERS = System.out;
    private static final ByteArrayOutputStream CAPTURED = new ByteArrayOutputStream();

    private static void answer(Integer exit) {
        ANSWERS.println(JSON.createObjectNode().put("exit", exit)
                .put("out", CAPTURED.toString(StandardCharsets.UTF_8)));
        ANSWERS.flush();
    }

    private static void end(int with, String message) {
        if (message != null) {
            System.err.println(message);
        }
        // A tool may catch this, too, and then end once more: the first one counts.
        if (!ended) {
            ended = true;
            status = with;
        }
        throw new Ended(with);
    }

    /** What the tool wanted done when the virtual machine ends. */
    private static void runHooks() {
        for (Runnable hook : List.copyOf(HOOKS)) {
            try {
                hook.run();
            } catch (Ended ignored) {
                // It has ended already.
            } catch (RuntimeException exception) {
                exception.printStackTrace();
            }
        }
        HOOKS.clear();
    }

    private static void run(String name, String[] arguments) throws Exception {
        ended = false;
        status = 0;
        try {
            Class.forName(name).getMethod("main", String[].class).invoke(null,
                    (Object) arguments);
        } catch (InvocationTargetException exception) {
            Throwable thrown = exception.getCause();
            if (!(thrown instanceof Ended)) {
                // As the virtual machine would show it.
                System.err.print("Exception in thread \"main\" ");
                thrown.printStackTrace();
                status = 1;
            }
        }
    }

    public static void main(String[] none) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var out = new PrintStream(CAPTURED, true, StandardCharsets.UTF_8);
        System.setOut(out);
        System.setErr(out);
        Exit.setExitProcedure((with, message) -> end(with, message));
        Exit.setHaltProcedure((with, message) -> end(with, message));
        Exit.setShutdownHookAdder((hook, body) -> HOOKS.add(body));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            answer(null);
            // Other hooks wait for what the tools have never started.
            Runtime.getRuntime().halt(0);
        }));
        for (String line; (line = in.readLine()) != null;) {
            var request = JSON.readTree(line);
            CAPTURED.reset();
            System.setIn(new ByteArrayInputStream(request.path("input").asText("")
                    .getBytes(StandardCharsets.UTF_8)));
            run(request.get("class").asText(),
                    JSON.convertValue(request.get("arguments"), String[].class));
            runHooks();
            out.flush();
            answer(status);
        }
        Runtime.getRuntime().halt(0);
    }
}
