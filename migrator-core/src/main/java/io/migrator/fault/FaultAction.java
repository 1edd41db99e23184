package io.migrator.fault;

import io.migrator.problem.Problem;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What can be made to happen at a fault point, and how it is written. */
public sealed interface FaultAction {
    /** The forms that {@link #parse} understands, with what they do. */
    List<String> FORMS =
            List.of(
                    "kill:jvm         kill -9 of the program that gets there",
                    "kill:criu        kill -9 of every criu it started",
                    "kill:foothold    kill -9 of every foothold it started",
                    "kill:side        kill -9 of all of these at once",
                    "delay:MILLIS     wait so long",
                    "fail             fail with a problem that names the point",
                    "cut[:SECONDS]    link eth0 down, up again after so many seconds or never",
                    "fill             fill /dev/shm to the last byte (lab fault clear frees it)",
                    "hold             stand there until it is released, 120 s at the most");

    /** Whom to kill. */
    enum Victim {
        JVM,
        CRIU,
        FOOTHOLD,
        /** All of these. */
        SIDE
    }

    record Kill(Victim victim) implements FaultAction {}

    record Delay(Duration time) implements FaultAction {}

    record Fail() implements FaultAction {}

    /**
     * The link goes down.
     *
     * @param heal after which it comes up again, if ever
     */
    record Cut(Optional<Duration> heal) implements FaultAction {}

    record Fill() implements FaultAction {}

    record Hold() implements FaultAction {}

    /** How the action is written. */
    default String text() {
        return switch (this) {
            case Kill(Victim victim) -> "kill:" + victim.name().toLowerCase(Locale.ROOT);
            case Delay(Duration time) -> "delay:" + time.toMillis();
            case Fail() -> "fail";
            case Cut(Optional<Duration> heal) ->
                    "cut" + heal.map(time -> ":" + time.toSeconds()).orElse("");
            case Fill() -> "fill";
            case Hold() -> "hold";
        };
    }

    /**
     * The action of that text.
     *
     * @throws Problem of usage, naming what is allowed
     */
    static FaultAction parse(String text) throws Problem {
        int colon = text.indexOf(':');
        String verb = colon < 0 ? text : text.substring(0, colon);
        Optional<String> argument =
                colon < 0 ? Optional.empty() : Optional.of(text.substring(colon + 1));
        boolean plain = argument.isEmpty();
        Optional<FaultAction> found =
                switch (verb) {
                    case "kill" -> argument.flatMap(FaultAction::victim).map(Kill::new);
                    case "delay" ->
                            argument.flatMap(FaultAction::number)
                                    .map(millis -> new Delay(Duration.ofMillis(millis)));
                    case "cut" -> plain ? Optional.of(new Cut(Optional.empty())) : cut(argument);
                    case "fail" -> plain ? Optional.of(new Fail()) : Optional.empty();
                    case "fill" -> plain ? Optional.of(new Fill()) : Optional.empty();
                    case "hold" -> plain ? Optional.of(new Hold()) : Optional.empty();
                    default -> Optional.empty();
                };
        return found.orElseThrow(() -> nonsense(text));
    }

    private static Optional<FaultAction> cut(Optional<String> seconds) {
        return seconds.flatMap(FaultAction::number)
                .map(number -> new Cut(Optional.of(Duration.ofSeconds(number))));
    }

    private static Optional<Victim> victim(String text) {
        for (Victim victim : Victim.values()) {
            if (text.equals(victim.name().toLowerCase(Locale.ROOT))) {
                return Optional.of(victim);
            }
        }
        return Optional.empty();
    }

    /** Up to a day in milliseconds. */
    private static Optional<Long> number(String text) {
        return text.matches("[0-9]{1,8}") ? Optional.of(Long.parseLong(text)) : Optional.empty();
    }

    private static Problem nonsense(String text) {
        List<String> forms = FORMS.stream().map(form -> form.split(" ", 2)[0]).toList();
        return Problem.usage("'" + text + "' is no action of a fault")
                .because("there are " + String.join(", ", forms))
                .tryThis("migrator lab fault list");
    }
}
