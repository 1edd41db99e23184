/**
 * The integration tests: real nodes of the lab, real Apptainer, criu and SSH, and the distribution
 * under {@code -Dmigrator.dist}. {@link io.migrator.it.TwoNodes} is what all of them are made with.
 */
@NullMarked
package io.migrator.it;

import org.jspecify.annotations.NullMarked;
