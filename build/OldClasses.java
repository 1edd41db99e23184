import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.constant.ClassDesc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Gives the classes of a library made for Java 5 (picocli's) the class file version of Java 8.
 *
 * <p>The start-up cache takes no class older than version 50, so picocli's 165 classes would be
 * read and verified at every start: measured, 110 ms instead of 80 for {@code --version}. The
 * instructions stay the same; what is new are the stack maps that later versions ask for, and the
 * result is verified here.
 */
final class OldClasses {
    private static final int FIRST_WITH_STACK_MAPS = 50;

    private OldClasses() {}

    /** Rewrites JAR in place, with its time of change kept, if it has such classes. */
    static void modernise(Path jar) throws IOException {
        try (ZipFile in = new ZipFile(jar.toFile())) {
            if (Collections.list(in.entries()).stream().noneMatch(entry -> isOld(in, entry))) {
                return;
            }
            Path fresh = jar.resolveSibling(jar.getFileName() + ".new");
            try (OutputStream file = Files.newOutputStream(fresh);
                    ZipOutputStream out = new ZipOutputStream(file)) {
                ClassFile tool = tool(in);
                for (ZipEntry entry : Collections.list(in.entries())) {
                    byte[] bytes = read(in, entry);
                    out.putNextEntry(new ZipEntry(entry.getName()));
                    out.write(isOld(in, entry) ? modernise(tool, bytes) : bytes);
                }
            }
            Files.setLastModifiedTime(fresh, Files.getLastModifiedTime(jar));
            Files.move(fresh, jar, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static byte[] modernise(ClassFile tool, byte[] old) throws IOException {
        byte[] renumbered =
                tool.transformClass(
                        tool.parse(old),
                        (builder, element) -> {
                            if (element instanceof ClassFileVersion) {
                                builder.withVersion(ClassFile.JAVA_8_VERSION, 0);
                            } else {
                                builder.with(element);
                            }
                        });
        ClassModel model = tool.parse(renumbered);
        byte[] mapped =
                tool.transformClass(
                        model,
                        ClassTransform.transformingMethodBodies(
                                (builder, element) -> builder.with(element)));
        if (!tool.verify(mapped).isEmpty()) {
            throw new IOException(model.thisClass().asInternalName() + ": " + tool.verify(mapped));
        }
        return mapped;
    }

    private static ClassFile tool(ZipFile jar) {
        ClassHierarchyResolver classes =
                ClassHierarchyResolver.ofResourceParsing(name -> open(jar, name))
                        .orElse(ClassHierarchyResolver.defaultResolver());
        return ClassFile.of(
                ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
                ClassFile.ConstantPoolSharingOption.NEW_POOL,
                ClassFile.ClassHierarchyResolverOption.of(classes));
    }

    /** The class file of NAME in the jar, or null, as the resolver wants it. */
    private static InputStream open(ZipFile jar, ClassDesc name) {
        String descriptor = name.descriptorString();
        ZipEntry entry = jar.getEntry(descriptor.substring(1, descriptor.length() - 1) + ".class");
        try {
            return entry == null ? null : jar.getInputStream(entry);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isOld(ZipFile jar, ZipEntry entry) {
        if (!entry.getName().endsWith(".class")) {
            return false;
        }
        try (InputStream in = jar.getInputStream(entry)) {
            byte[] head = in.readNBytes(8);
            return (head[6] << 8 | head[7]) < FIRST_WITH_STACK_MAPS;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] read(ZipFile jar, ZipEntry entry) throws IOException {
        try (InputStream in = jar.getInputStream(entry)) {
            return in.readAllBytes();
        }
    }
}
