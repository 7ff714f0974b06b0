/* object_command.h - `weft object`: look into an object without any control plane. */
#ifndef CLI_OBJECT_COMMAND_H
#define CLI_OBJECT_COMMAND_H

/* ARGV[0] is "object". Returns the process's exit status: 0 fine, 1 the object is not
 * what it should be or cannot be read, 2 the command line is wrong. */
int object_command(int argc, char **argv);

extern const char object_command_usage[];

#endif
