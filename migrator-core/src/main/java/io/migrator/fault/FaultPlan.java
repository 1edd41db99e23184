package io.migrator.fault;

import io.migrator.problem.Problem;

import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** What is armed, written {@code point=action;point=action}. Immutable. */
public final class FaultPlan {
    private final Map<FaultPoint, FaultAction> actions;

    private FaultPlan(Map<FaultPoint, FaultAction> actions) {
        this.actions = actions;
    }

    /**
     * The plan of that text; blank text plans nothing.
     *
     * @throws Problem of usage, naming what is allowed
     */
    public static FaultPlan parse(String text) throws Problem {
        Map<FaultPoint, FaultAction> actions = new EnumMap<>(FaultPoint.class);
        for (String each : text.strip().split(";")) {
            if (each.isBlank()) {
                continue;
            }
            int equals = each.indexOf('=');
            if (equals < 0) {
                throw Problem.usage("'" + each.strip() + "' is no fault")
                        .because("a fault is written POINT=ACTION, several with ; between them")
                        .tryThis("migrator lab fault list");
            }
            FaultPoint point = point(each.substring(0, equals).strip());
            if (actions.put(point, FaultAction.parse(each.substring(equals + 1).strip())) != null) {
                throw Problem.usage("two faults at " + point.text());
            }
        }
        return new FaultPlan(actions);
    }

    /**
     * The point of that name.
     *
     * @throws Problem of usage, naming those there are
     */
    public static FaultPoint point(String text) throws Problem {
        return FaultPoint.of(text)
                .orElseThrow(() ->
                        Problem.usage("'" + text + "' is no fault point")
                                .because("there are " + points())
                                .tryThis("migrator lab fault list"));
    }

    private static String points() {
        return Arrays.stream(FaultPoint.values())
                .map(FaultPoint::text)
                .collect(Collectors.joining(", "));
    }

    /** The same plan with one more fault, in place of what was at that point. */
    public FaultPlan with(FaultPoint point, FaultAction action) {
        Map<FaultPoint, FaultAction> more = new EnumMap<>(FaultPoint.class);
        more.putAll(actions);
        more.put(point, action);
        return new FaultPlan(Collections.unmodifiableMap(more));
    }

    /** What is armed at a point. */
    Optional<FaultAction> at(FaultPoint point) {
        return Optional.ofNullable(actions.get(point));
    }

    /** How the plan is written. */
    public String text() {
        return actions.entrySet().stream()
                .map(entry -> entry.getKey().text() + "=" + entry.getValue().text())
                .collect(Collectors.joining(";"));
    }
}
