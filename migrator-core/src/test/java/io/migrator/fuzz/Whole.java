package io.migrator.fuzz;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import org.jspecify.annotations.Nullable;

import java.lang.reflect.RecordComponent;
import java.util.Collection;
import java.util.Map;

/** What was read from outside must have all its parts: the code that takes it relies on that. */
public final class Whole {
    private Whole() {}

    /** Fails if a part is missing that is not said to be nullable, at any depth. */
    public static void orLacking(@Nullable Object value) throws ReflectiveOperationException {
        look("it", value);
    }

    private static void look(String name, @Nullable Object value)
            throws ReflectiveOperationException {
        assertNotNull(value, name + " is missing");
        switch (value) {
            case Record parts -> {
                for (RecordComponent each : parts.getClass().getRecordComponents()) {
                    each.getAccessor().setAccessible(true);
                    Object part = each.getAccessor().invoke(parts);
                    boolean mayLack = each.getAnnotatedType().isAnnotationPresent(Nullable.class);
                    if (part != null || !mayLack) {
                        look(name + "." + each.getName(), part);
                    }
                }
            }
            case Collection<?> some -> {
                for (Object each : some) {
                    look(name + "[]", each);
                }
            }
            case Map<?, ?> some -> {
                for (Map.Entry<?, ?> each : some.entrySet()) {
                    look(name + " key", each.getKey());
                    look(name + "{}", each.getValue());
                }
            }
            default -> {}
        }
    }
}
