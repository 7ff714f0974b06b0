"""The admin APIs for wire.py: importing this makes Wire speak them."""

import wire

wire.KEYS.update({
    "DeleteRecords": 21, "AlterReplicaLogDirs": 34, "DescribeLogDirs": 35,
    "ElectLeaders": 43, "AlterPartitionReassignments": 45,
    "ListPartitionReassignments": 46, "DescribeClientQuotas": 48,
    "AlterClientQuotas": 49, "DescribeQuorum": 55, "UpdateFeatures": 57,
    "DescribeProducers": 61, "ListConfigResources": 74})

wire.FLEXIBLE.update({
    "DeleteRecords": 2, "AlterReplicaLogDirs": 2, "DescribeLogDirs": 2,
    "ElectLeaders": 2, "AlterPartitionReassignments": 0,
    "ListPartitionReassignments": 0, "DescribeClientQuotas": 1,
    "AlterClientQuotas": 1, "DescribeQuorum": 0, "UpdateFeatures": 0,
    "DescribeProducers": 0, "ListConfigResources": 0})

wire._NUMBERS["float64"] = ">d"

_LOG_DIRS = ("topics", ["name string", "partitions int32s"])
_LOG_DIR = ("dirs", ["error int16", "dir string", ("topics", [
    "name string", ("partitions", ["index int32", "size int64", "lag int64",
                                   "future bool"])]),
    "total int64", "usable int64"])
_ELECTED = ("topics", ["name string", ("partitions", [
    "index int32", "error int16", "message string"])])
_REPLICA = ["id int32", "directory uuid", "end int64", "fetched int64", "caught_up int64"]

wire.SPECS.update({
    ("DeleteRecords", 2): (
        [("topics", ["name string", ("partitions", ["index int32", "offset int64"])]),
         "timeout_ms int32"],
        ["throttle int32", ("topics", ["name string", ("partitions", [
            "index int32", "low_watermark int64", "error int16"])])]),
    ("AlterReplicaLogDirs", 2): (
        [("dirs", ["path string", ("topics", ["name string", "partitions int32s"])])],
        ["throttle int32", ("topics", ["name string", ("partitions", [
            "index int32", "error int16"])])]),
    ("DescribeLogDirs", 4): ([_LOG_DIRS], ["throttle int32", "error int16", _LOG_DIR]),
    ("ElectLeaders", 2): (
        ["type int8", ("topics", ["name string", "partitions int32s"]),
         "timeout_ms int32"],
        ["throttle int32", "error int16", _ELECTED]),
    ("AlterPartitionReassignments", 1): (
        ["timeout_ms int32", "change_factor bool", ("topics", [
            "name string", ("partitions", ["index int32", "replicas int32s"])])],
        ["throttle int32", "change_factor bool", "error int16", "message string",
         _ELECTED]),
    ("ListPartitionReassignments", 0): (
        ["timeout_ms int32", ("topics", ["name string", "partitions int32s"])],
        ["throttle int32", "error int16", "message string", ("topics", [
            "name string", ("partitions", ["index int32", "replicas int32s",
                                           "adding int32s", "removing int32s"])])]),
    ("DescribeQuorum", 2): (
        [("topics", ["name string", ("partitions", ["index int32"])])],
        ["error int16", "message string", ("topics", ["name string", ("partitions", [
            "index int32", "error int16", "message string", "leader int32",
            "epoch int32", "high_watermark int64", ("voters", _REPLICA),
            ("observers", _REPLICA)])]),
         ("nodes", ["id int32", ("listeners", ["name string", "host string",
                                               "port int16"])])]),
    ("UpdateFeatures", 1): (
        ["timeout_ms int32", ("updates", ["feature string", "level int16", "type int8"]),
         "validate_only bool"],
        ["throttle int32", "error int16", "message string", ("results", [
            "feature string", "error int16", "message string"])]),
    ("UpdateFeatures", 2): (
        ["timeout_ms int32", ("updates", ["feature string", "level int16", "type int8"]),
         "validate_only bool"],
        ["throttle int32", "error int16", "message string"]),
    ("DescribeProducers", 0): (
        [("topics", ["name string", "partitions int32s"])],
        ["throttle int32", ("topics", ["name string", ("partitions", [
            "index int32", "error int16", "message string", ("producers", [
                "id int64", "epoch int32", "sequence int32", "timestamp int64",
                "coordinator_epoch int32", "txn_start int64"])])])]),
    ("ListConfigResources", 0): (
        [], ["throttle int32", "error int16", ("resources", ["name string"])]),
    ("ListConfigResources", 1): (
        ["types int8s"],
        ["throttle int32", "error int16", ("resources", ["name string", "type int8"])]),
    ("DescribeClientQuotas", 1): (
        [("components", ["type string", "match int8", "name string"]), "strict bool"],
        ["throttle int32", "error int16", "message string", ("entries", [
            ("entity", ["type string", "name string"]),
            ("values", ["key string", "value float64"])])]),
    ("AlterClientQuotas", 1): (
        [("entries", [("entity", ["type string", "name string"]),
                      ("ops", ["key string", "value float64", "remove bool"])]),
         "validate_only bool"],
        ["throttle int32", ("entries", [
            "error int16", "message string", ("entity", ["type string", "name string"])])]),
})
wire._ELEMENTS["int8s"] = "int8"
