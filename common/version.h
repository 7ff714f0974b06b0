/* version.h - the version of all three programs, and the feature level that they know.
 *
 * A command of the control plane that older programs do not know belongs to a higher
 * level, and is proposed only when an operator has raised the cell to it. A build with
 * -DWEFT_FEATURE_LEVEL=N stands for a newer program in tests of rolling upgrades. */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

#define WEFT_VERSION "0.1.0"

#ifndef WEFT_FEATURE_LEVEL
#define WEFT_FEATURE_LEVEL 1
#endif
#define FEATURE_LEVEL_MAX WEFT_FEATURE_LEVEL

#endif
