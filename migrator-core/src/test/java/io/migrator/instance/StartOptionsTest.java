package io.migrator.instance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Map;

class StartOptionsTest {
    private static final String IMAGE = "/shared/images/base.sif";

    /**
     * Of Apptainer 1.4's record of {@code instance start --contain --no-home --hostname job7
     * --workdir /tmp/w --scratch /scr --no-mount sys,tmp,/etc/hosts --dns 10.0.0.1 --env A=x,B=y
     * --env "C=1 2" --bind /srv/data:/data:ro --bind /shared --mount "type=bind,source=/srv,dst=/b
     * c" --net --network none}.
     */
    private static final String RECORDED =
            """
            {"scratchdir":["/scr"],
             "bindpath":[
               {"source":"/srv/data","destination":"/data","options":{"ro":{}}},
               {"source":"/shared","destination":"/shared","options":null},
               {"source":"/srv","destination":"/b c","options":{}}],
             "apptainerEnv":{"A":"x","B":"y","C":"1 2"},
             "unixSocketPair":[-1,-1],"image":"/shared/images/base.sif",
             "workdir":"/tmp/w","configdir":"/root/.apptainer","homedir":"/root",
             "homeDest":"/root","hostname":"job7","network":"none","dns":"10.0.0.1",
             "cwd":"/root","sessionLayer":"overlay","container":true,"instance":true,
             "noSys":true,"noHome":true,"noTmp":true,"skipBinds":["/etc/hosts"],
             "signalPropagation":true,"restoreUmask":true,"umask":18,"dmtcpConfig":{},
             "overlayImplied":true,"sharensFd":-1}
            """;

    @Test
    void whatAnInstanceWasStartedWithIsReadFromItsRecord() throws IOException {
        StartOptions options = options(false, RECORDED);
        assertEquals(IMAGE, options.image());
        assertEquals(Map.of("A", "x", "B", "y", "C", "1 2"), options.environment());
        assertTrue(options.arguments().containsAll(List.of("--contain", "--no-home")));
        assertHas(options, "--bind", "/srv/data:/data:ro");
        assertHas(options, "--bind", "/shared:/shared");
        assertHas(options, "--bind", "/srv:/b c");
        assertHas(options, "--hostname", "job7");
        assertHas(options, "--workdir", "/tmp/w");
        assertHas(options, "--scratch", "/scr");
        assertHas(options, "--dns", "10.0.0.1");
        assertHas(options, "--no-mount", "sys");
        assertHas(options, "--no-mount", "tmp");
        assertHas(options, "--no-mount", "/etc/hosts");
        assertHas(options, "--network", "none");
        assertEquals(3 + 2 * 11, options.arguments().size(), options.arguments().toString());
        assertEquals(List.of(), options.unknown());
    }

    @Test
    void itsNetworkIsReplacedByOneThatIsEmpty() throws IOException {
        StartOptions bridged =
                options(
                        false,
                        """
                        {"noHome":true,"network":"bridge","networkArgs":["IP=10.0.0.1","a=b"]}
                        """);
        assertHas(bridged, "--network", "bridge");
        assertHas(bridged, "--network-args", "a=b");
        List<String> empty = List.of("--no-home", "--net", "--network", "none");
        assertEquals(empty, bridged.withOwnNetwork().arguments());
        assertEquals(empty, bridged.withOwnNetwork().withOwnNetwork().arguments());
    }

    @Test
    void whatCannotBeRepeatedElsewhereIsNamed() throws IOException {
        assertEquals(
                List.of("--apply-cgroups", "--fusemount", "--nvccli"),
                options(
                                false,
                                """
                                {"fuseMount":[{"program":["sshfs"]}],"nvCCLI":true,
                                 "cgroupsJSON":"{}","devices":[]}
                                """)
                        .unknown());
    }

    @Test
    void aUserNamespaceIsAskedForUnlessFakerootBringsIt() throws IOException {
        assertEquals(List.of("--userns"), options(true, "{}").arguments());
        assertEquals(List.of("--fakeroot"), options(true, "{\"fakeroot\":true}").arguments());
    }

    @Test
    void optionsOfABindAreKeptWithTheirValues() throws IOException {
        StartOptions options =
                options(
                        false,
                        """
                        {"bindpath":[{"source":"/data.sif","destination":"/d",
                         "options":{"image-src":{"value":"/x"},"ro":{}}}]}
                        """);
        assertEquals(List.of("--bind", "/data.sif:/d:image-src=/x,ro"), options.arguments());
    }

    @Test
    void ownHomeAndOverlaysAreRepeated() throws IOException {
        StartOptions options =
                options(
                        false,
                        """
                        {"customHome":true,"homedir":"/scratch/h","homeDest":"/home/alice",
                         "overlayImage":["/o1.img:ro","/o2.img"]}
                        """);
        assertHas(options, "--home", "/scratch/h:/home/alice");
        assertHas(options, "--overlay", "/o1.img:ro");
        assertHas(options, "--overlay", "/o2.img");
    }

    @Test
    void aRecordWithoutSettingsGivesTheDefaults() throws IOException {
        StartOptions options = options(false, "{}");
        assertEquals(List.of(), options.arguments());
        assertEquals(Map.of(), options.environment());
        assertEquals(List.of(), options.unknown());
    }

    private static StartOptions options(boolean userNamespace, String settings) throws IOException {
        JsonNode json = new ObjectMapper().readTree(settings);
        return StartOptions.of(IMAGE, userNamespace, json);
    }

    private static void assertHas(StartOptions options, String option, String value) {
        assertTrue(
                Collections.indexOfSubList(options.arguments(), List.of(option, value)) >= 0,
                () -> option + " " + value + " is not in " + options.arguments());
    }
}
