/* embed.h - a file of the tree as part of the program.
 *
 * EMBED(name, "path"), once in a .c file, declares embedded_NAME and embedded_NAME_end:
 * the bytes between them, with a NUL behind. Paths are from the root of the tree, where
 * the build runs; -MMD does not find them, so the Makefile names them as prerequisites.
 */
#ifndef COMMON_EMBED_H
#define COMMON_EMBED_H

#define EMBED(name, path)                                                                \
    __asm__(".section .rodata\n"                                                         \
            ".global embedded_" #name "\n.global embedded_" #name "_end\n"               \
            "embedded_" #name ":\n.incbin \"" path "\"\n"                                \
            "embedded_" #name "_end:\n.byte 0\n.previous\n");                            \
    extern const char embedded_##name[], embedded_##name##_end[]

#endif
