package io.migrator.cli;

import io.migrator.instance.Payload;
import io.migrator.network.AddressMove;
import io.migrator.network.InterfaceAddress;
import io.migrator.network.NamespaceState.Kind;
import io.migrator.network.NetworkWish;
import io.migrator.network.StartNetwork;
import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;

@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        synopsisHeading = "Usage: ",
        customSynopsis = "migrator run [apptainer options] IMAGE NAME -- COMMAND [ARGUMENT...]%n",
        description = {
            "Starts a payload in a new instance, in the way that migrates best.",
            "",
            "The command becomes a session leader whose parent is the instance's pid 1. Its"
                    + " standard input is empty; its output goes to ~/.migrator/runs/NAME/stdout"
                    + " and stderr, a directory that moves with the job. Options before IMAGE are"
                    + " those of 'apptainer instance start', and of ours (root only):",
            "",
            "  --service-ip ADDRESS/LENGTH@DEVICE[,...]   an address that moves with the job. The"
                    + " program has to use it: it finds it in MIGRATOR_SERVICE_IP",
            "  --net own   a network namespace of the job's own; with --service-ip it has a"
                    + " macvlan on DEVICE with that address",
            "  --link macvlan|ipvlan|routed   another way than a macvlan; routed: by the node, with"
                    + " no hardware address of its own",
        })
final class RunCommand implements Callable<Integer> {
    @Parameters(hidden = true)
    private List<String> words = List.of();

    @Override
    public Integer call() throws Problem, InterruptedException {
        int separator = words.indexOf("--");
        if (separator < 2 || separator == words.size() - 1) {
            throw Problem.usage("an image, a name and a command are needed")
                    .because("the command follows after --")
                    .tryThis("migrator run IMAGE NAME -- COMMAND");
        }
        List<String> options = new ArrayList<>(words.subList(0, separator - 2));
        StartNetwork network = networkOf(options);
        network.orRefuse();
        Payload payload =
                new Payload(
                        options,
                        words.get(separator - 2),
                        words.get(separator - 1),
                        words.subList(separator + 1, words.size()),
                        network.environment());
        List<InterfaceAddress> added = network.comeUp();
        try {
            payload.start(network::into);
        } catch (Problem | InterruptedException e) {
            AddressMove.off(added);
            throw e;
        }
        Terminal.err(
                "'" + payload.name() + "' runs; its output is in " + payload.directory().path());
        return 0;
    }

    /** Takes our own options out of Apptainer's; {@code --net} alone is one of those. */
    private static StartNetwork networkOf(List<String> options) throws Problem {
        boolean own = false;
        List<InterfaceAddress> addresses = List.of();
        try {
            int net = options.indexOf("--net");
            if (net >= 0 && net + 1 < options.size() && options.get(net + 1).equals("own")) {
                own = true;
                options.subList(net, net + 2).clear();
                options.addAll(net, List.of("--net", "--network", "none"));
            }
            int at = options.indexOf("--service-ip");
            if (at >= 0) {
                String text = at + 1 < options.size() ? options.get(at + 1) : "";
                addresses = NetworkWish.addresses(text);
                options.subList(at, at + 2).clear();
            }
            int link = options.indexOf("--link");
            Kind kind = Kind.MACVLAN;
            if (link >= 0) {
                String text = link + 1 < options.size() ? options.get(link + 1) : "";
                kind = Kind.valueOf(text.toUpperCase(Locale.ROOT));
                options.subList(link, link + 2).clear();
            }
            return new StartNetwork(own, kind, addresses);
        } catch (IllegalArgumentException e) {
            throw Problem.usage("--service-ip or --link is not understood")
                    .because(e.getMessage())
                    .tryThis("--service-ip 10.0.0.9/24@eth0 --net own --link macvlan");
        }
    }
}
