/* kafka_error.h - Kafka's error codes, by name: KAFKA_NONE, KAFKA_INVALID_RECORD, ...
 *
 * kafka_error.def has a row for each; names and numbers are Kafka's. Codes travel as
 * int16_t. Clients decide by `retriable` whether to try again. */
#ifndef PROTO_KAFKA_ERROR_H
#define PROTO_KAFKA_ERROR_H

#include <stdbool.h>
#include <stdint.h>

enum kafka_error {
#define KAFKA_ERROR(number, name, retriable, text) KAFKA_##name = (number),
#include "proto/kafka_error.def"
#undef KAFKA_ERROR
};

/* Numbers that Kafka does not define read as UNKNOWN_SERVER_ERROR. */
const char *kafka_error_name(int16_t code);
const char *kafka_error_text(int16_t code);
bool kafka_error_retriable(int16_t code);

#endif
