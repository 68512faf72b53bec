// Match PATTERNS EVENTS: which rule patterns (PATTERNS/*.json) match which events (EVENTS/*.json),
// as EventBridge's own engine sees it. One line a pair that matches: "event<TAB>pattern".
import java.nio.file.*;
import java.util.*;
import software.amazon.event.ruler.*;

public class Match {
    static List<Path> files(String dir) throws Exception {
        var found = new ArrayList<Path>();
        try (var stream = Files.newDirectoryStream(Path.of(dir), "*.json")) {
            stream.forEach(found::add);
        }
        Collections.sort(found);
        return found;
    }

    public static void main(String[] args) throws Exception {
        for (Path pattern : files(args[0])) {
            String rule = Files.readString(pattern);
            String wrong = RuleCompiler.check(rule);
            if (wrong != null) {
                System.err.println(pattern.getFileName() + ": " + wrong);
                System.exit(1);
            }
            for (Path event : files(args[1])) {
                if (Ruler.matchesRule(Files.readString(event), rule)) {
                    System.out.println(event.getFileName() + "\t" + pattern.getFileName());
                }
            }
        }
    }
}
