package io.migrator.cli;

import picocli.CommandLine.Command;

@Command(name = "demo", mixinStandardHelpOptions = true, description = "later")
final class DemoCommand implements Runnable {
    @Override
    public void run() {}
}
