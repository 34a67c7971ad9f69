"""Queues and stores of settings: Kafka, RabbitMQ, etcd, ZooKeeper, NATS, Cassandra's nodetool."""

from __future__ import annotations

import re

from cockpit.safety.shell.options import read_options
from cockpit.safety.shell.tool import Call, Tool, denied, plain, tree
from cockpit.safety.shell.words import constants
from cockpit.safety.tables import names
from cockpit.safety.verdict import DESTRUCTIVE, MUTATING, UNKNOWN, Judgement, of_verdict, reading, unknown
from cockpit.words import _

_KAFKA_VALUES = names(
    """--bootstrap-server --bootstrap-controller --broker-list --zookeeper --command-config --topic --group
    --entity-type --entity-name --topic-list --partitions --time --user --principal --resource-pattern-type --cluster
    --consumer-group --timeout --client"""
)
_KAFKA_FLAGS = names(
    """--list --describe --version --state --members --verbose --all-groups --all-topics --offsets --entity-default
    --under-replicated-partitions --unavailable-partitions --under-min-isr-partitions --at-min-isr-partitions
    --topics-with-overrides --exclude-internal --status --replication --all --help"""
)
_KAFKA_ASKS = names("--list --describe --version --status --replication --help")


def _kafka(*, bare: bool = False) -> Tool:
    """Kafka's scripts: read-only with --list or --describe and nothing that changes. `bare`: also without them.

    Options may be cut short, so every one must be known in full.
    """

    def judge(call: Call, tool: Tool) -> Judgement:
        found = read_options(call.args, _KAFKA_VALUES)
        given = [name for name, _value in found.options]
        if any(name.startswith("--del") for name in given):
            return of_verdict(DESTRUCTIVE, call.name)
        known = all(name in _KAFKA_VALUES | _KAFKA_FLAGS for name in given) and found.unclear is None
        operands = constants(found.operands)
        asks = bare or bool(set(given) & _KAFKA_ASKS) or operands == ["describe"]
        if known and asks and operands is not None and set(operands) <= {"describe", "cluster-id"}:
            return reading()
        changes = any(re.match(r"--(?:alter|create|reset|execute|add|remove|upgrade|elect)", name) for name in given)
        return of_verdict(MUTATING if changes else UNKNOWN, call.name)

    return Tool(special=judge)


def _kcat(call: Call, tool: Tool) -> Judgement:
    """Kcat lists, queries and consumes outside of any group; -P and -G change what the cluster holds."""
    values = names("-b -t -p -o -c -f -X -m -D -K -Z")
    found = read_options(call.args, values)
    flags = names("-L -Q -C -J -e -q -u -v -V")
    if found.unclear is None and all(name in values | flags for name, _v in found.options):
        return (
            reading()
            if found.has("-L", "-Q", "-V") or (found.has("-C") and found.has("-e", "-c"))
            else _consumes(found.has("-C"))
        )
    return of_verdict(MUTATING if found.has("-P") else UNKNOWN, call.name)


def _consumes(endless: bool) -> Judgement:
    return reading("unbounded") if endless else unknown(_("kcat without a mode reads what to do from its input"))


def _zookeeper(call: Call, tool: Tool) -> Judgement:
    """ZooKeeper's shell: one command behind the server."""
    words = list(call.args)
    if words[:1] and words[0].constant and words[0].text == "-server":
        words = words[1:]
    elif call.name.startswith("zkCli"):
        words = [words[0], *words] if words else words
    texts = constants(words[1:2])
    if len(words) >= 2 and texts and texts[0] in ("ls", "get", "stat", "getAcl", "config", "version"):
        return reading()
    return unknown(_("{command} is not known to be read-only").format(command=call.name))


_RABBIT_LISTS = """list_queues list_exchanges list_bindings list_connections list_channels list_consumers list_users
    list_vhosts list_permissions list_policies list_parameters list_operator_policies list_feature_flags
    list_topic_permissions
    list_user_permissions list_user_topic_permissions list_global_parameters list_unresponsive_queues list_hashes
    list_ciphers list_user_limits list_vhost_limits list_streams list_stream_connections list_deprecated_features"""

TOOLS: dict[str, Tool] = {
    "etcdctl": tree(
        values="--endpoints --cacert --cert --key --user -w --write-out --dial-timeout --command-timeout",
        flags="--insecure-skip-tls-verify --insecure-transport --debug --hex",
        read="""get endpoint/health endpoint/status endpoint/hashkv member/list alarm/list version
            user/list user/get role/list role/get lease/list lease/timetolive auth/status snapshot/status""",
        mutating="""put compaction defrag alarm/disarm member/add member/update member/promote snapshot/save move-leader
            lease/grant lease/keep-alive check/perf check/datascale txn auth/enable auth/disable user/add role/add lock
            elect make-mirror""",
        destructive="del member/remove snapshot/restore lease/revoke user/delete role/delete",
        overrides={"watch": Tool(tags=("unbounded",), operands=2, denied=denied("-i --interactive", UNKNOWN))},
    ),
    "etcdutl": tree(read="snapshot/status version", destructive="snapshot/restore defrag"),
    "rabbitmqctl": tree(
        values="-n --node -t --timeout -p --vhost --formatter",
        flags="-q --quiet -s --silent -l --longnames",
        read=f"status {_RABBIT_LISTS} cluster_status node_health_check environment report version ping",
        mutating="""start_app set_policy add_user set_permissions set_user_tags add_vhost enable_feature_flag
            sync_queue close_connection close_all_connections rotate_logs set_parameter join_cluster
            change_password set_vm_memory_high_watermark set_disk_free_limit set_log_level set_user_limits force_gc
            cancel_sync_queue set_cluster_name import_definitions""",
        destructive="""stop_app stop reset force_reset delete_queue purge_queue delete_user delete_vhost
            forget_cluster_node shutdown clear_policy force_boot clear_permissions clear_parameter""",
        unknown="eval exec",
    ),
    **plain(
        "rabbitmq-diagnostics rabbitmq-queues rabbitmq-plugins rabbitmq-streams",
        tree(
            values="-n --node -t --timeout --formatter",
            flags="-q --quiet -s --silent -l",
            read=f"""status ping check_running check_local_alarms check_alarms check_port_connectivity
            check_port_listener check_protocol_listener check_virtual_hosts check_certificate_expiration
            check_if_node_is_mirror_sync_critical check_if_node_is_quorum_critical quorum_status alarms memory_breakdown
            listeners is_booting is_running list cluster_status erlang_version os_env server_version version
            runtime_thread_stats
            certificates list_network_interfaces schema_info log_location command_line_arguments environment
            {_RABBIT_LISTS}""",
            mutating="enable disable set add_member grow rebalance",
            destructive="delete_member shrink",
        ),
    ),
    "rabbitmqadmin": tree(
        values="-H -P -u -p -V -f -c -N --host --port --username --password --vhost --format --config --node",
        flags="-q -k --ssl -s",
        read="list show",
        mutating="declare publish import get close",
        destructive="delete purge",
    ),
    **{
        f"{name}{ending}": _kafka(bare=name in ("kafka-broker-api-versions", "kafka-get-offsets"))
        for name in (
            "kafka-topics",
            "kafka-consumer-groups",
            "kafka-configs",
            "kafka-acls",
            "kafka-broker-api-versions",
            "kafka-log-dirs",
            "kafka-get-offsets",
            "kafka-metadata-quorum",
            "kafka-features",
            "kafka-transactions",
            "kafka-delegation-tokens",
            "kafka-cluster",
        )
        for ending in ("", ".sh")
    },
    **plain("kcat kafkacat", Tool(special=_kcat)),
    **plain("zookeeper-shell zookeeper-shell.sh zkCli.sh zkCli", Tool(special=_zookeeper)),
    "zkServer.sh": tree(read="status version", mutating="start", destructive="stop restart"),
    "nodetool": tree(
        values="-h --host -p --port -u --username -pw --password",
        read="""status info tpstats compactionstats netstats ring describecluster cfstats tablestats gossipinfo version
        getlogginglevels getcompactionthroughput proxyhistograms tablehistograms statusgossip statusbinary listsnapshots
        describering failuredetector gcstats getendpoints statushandoff viewbuildstatus""",
        mutating="""repair flush cleanup compact drain snapshot enablegossip disablegossip setlogginglevel rebuild
        disablebinary enablebinary setcompactionthroughput upgradesstables""",
        destructive="decommission removenode assassinate clearsnapshot truncatehints move",
    ),
    "nats": tree(
        values="-s --server --creds --user --password --context",
        read="""stream/ls stream/list stream/info stream/report stream/state consumer/ls consumer/info consumer/report
        server/ping server/list server/info server/report/connections server/check/connection account/info rtt""",
        mutating="pub publish request stream/add consumer/add",
        destructive="stream/rm stream/purge consumer/rm",
    ),
}
