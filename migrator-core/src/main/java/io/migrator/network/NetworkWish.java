package io.migrator.network;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * What a user asks for: {@code --network} and {@code --rebind}.
 *
 * @param kind and
 * @param addresses those of {@code service-ip=}
 * @param rebind true if what listens at an address of the source may listen at one of the target
 */
public record NetworkWish(Kind kind, List<InterfaceAddress> addresses, boolean rebind) {
    /** What can be asked for. */
    public enum Kind {
        /** What the job was started for; connections that could not live forbid the move. */
        AUTO,
        SERVICE_IP,
        OWN,
        CLOSE,
        LISTEN_ONLY,
        REFUSE
    }

    /** The default. */
    public static final NetworkWish AUTO = new NetworkWish(Kind.AUTO, List.of(), false);

    /** The variable in which {@code run} notes the addresses of a job, as the job sees it too. */
    public static final String VARIABLE = "MIGRATOR_SERVICE_IP";

    private static final String SERVICE = "service-ip=";

    /**
     * Reads it.
     *
     * @throws IllegalArgumentException if it is none
     */
    public static NetworkWish parse(String text) {
        if (text.startsWith(SERVICE)) {
            return new NetworkWish(
                    Kind.SERVICE_IP, addresses(text.substring(SERVICE.length())), false);
        }
        for (Kind kind : Kind.values()) {
            if (kind != Kind.SERVICE_IP
                    && text.equals(kind.name().toLowerCase(Locale.ROOT).replace('_', '-'))) {
                return new NetworkWish(kind, List.of(), false);
            }
        }
        throw new IllegalArgumentException(
                "'%s' is none of auto, service-ip=ADDRESS/LENGTH@DEVICE, own, close, listen-only,"
                                .formatted(text)
                        + " refuse");
    }

    /** The same, with leave to rebind or without. */
    public NetworkWish rebinding(boolean allowed) {
        return new NetworkWish(kind, addresses, allowed);
    }

    /** Reads {@code ADDR/LENGTH@DEVICE}, several with commas. */
    public static List<InterfaceAddress> addresses(String text) {
        return Stream.of(text.split(",", -1)).map(InterfaceAddress::parse).toList();
    }
}
