"""Package managers of systems and of languages."""

from __future__ import annotations

from cockpit.safety.shell.tool import Tool, denied, plain, tree
from cockpit.safety.tables import names
from cockpit.safety.verdict import UNKNOWN

_NPM = tree(
    asks="-v",
    values="-w --workspace --prefix -C",
    flags="-g --global --json --silent -s",
    read="""ls list ll la outdated view info show v ping root prefix bin config/get config/list config/ls
    explain why whoami
        search dist-tag/ls help query fund""",
    unknown="run run-script test start exec x explore",
    mutating="""ci install i add update up uninstall remove rm link publish pack version init dedupe rebuild
        config/set cache/clean prune""",
    destructive="unpublish deprecate",
    overrides={"audit": Tool(operands=0, denied=denied("--fix"), tags=("network-egress",))},
)
_YARN = tree(
    asks="-v",
    read="list why outdated info licenses/list config/list config/get bin versions",
    mutating="add remove install upgrade link publish",
    unknown="run",
)
_SYSTEM = tree(
    values="--enablerepo --disablerepo --repo",
    flags="-q -qq -y --quiet --installed -C --cacheonly",
    read="""list show info search policy repolist changelog leaves deps provides whatprovides check-update
        history history/list history/info history/userinstalled updateinfo updateinfo/list updateinfo/info
        outdated services/list
        module/list group/list grouplist deplist repoquery changes depends rdepends showpkg madison""",
    mutating="""install reinstall update upgrade full-upgrade dist-upgrade downgrade refresh tap link clean
    autoclean makecache mark hold start stop restart distro-sync history/undo history/rollback localinstall
    services/restart services/start services/stop module/enable swap""",
    destructive="remove purge autoremove uninstall erase",
    denied=denied("-o --option -c --config-file --setopt --installroot --downloadonly", UNKNOWN),
)

TOOLS: dict[str, Tool] = {
    "npm": _NPM,
    **plain("pnpm", _NPM),
    "yarn": _YARN,
    **plain("npx pipenv pulumi cdk sam serverless packer vagrant pipx conda mamba", Tool(verdict=UNKNOWN)),
    "poetry": tree(read="show env/info env/list check", mutating="add remove install update lock"),
    "uv": tree(
        read="pip/list pip/show pip/freeze pip/check pip/tree tree version python/list",
        mutating="add remove sync lock pip/install pip/sync",
        destructive="pip/uninstall",
        denied=denied("-o --output-file"),
    ),
    "cargo": tree(
        asks="-V",
        read="metadata tree search",
        unknown="run test build check",
        mutating="install publish add remove update clean",
    ),
    "go": tree(
        read="version",
        unknown="run test build vet list",
        mutating="install get",
        overrides={
            "env": Tool(denied=denied("-w -u"), flags=names("-json"), long_single=True),
        },
    ),
    **plain(
        "pip pip3",
        tree(
            asks="-V",
            read="""list show freeze check index/versions inspect debug cache/list cache/info cache/dir config/list
            config/get""",
            mutating="install download wheel config/set cache/purge",
            destructive="uninstall",
            denied=denied("--log --log-file --local-log"),
        ),
    ),
    "pip-audit": Tool(
        denied=denied("--fix -o --output") | denied("-r --requirement", UNKNOWN), tags=("network-egress",)
    ),
    **plain("apt apt-get yum dnf snap brew gem zypper", _SYSTEM),
    "apt-cache": tree(
        read="policy show search depends rdepends madison showpkg stats", denied=denied("-o -c", UNKNOWN)
    ),
    "apt-mark": tree(read="showhold showmanual showauto", mutating="hold unhold auto manual"),
    "apk": tree(flags="-q", read="info list policy search stats", mutating="add update upgrade", destructive="del"),
    "dpkg-query": Tool(),
    "dpkg": Tool(
        required=names("-l -s -L -S -V -p --list --status --listfiles --search --verify --get-selections -C --audit"),
        flags=names(
            """-l -s -L -S -V -p --list --status --listfiles --search --verify --get-selections -C --audit
            --print-architecture"""
        ),
    ),
    "rpm": Tool(
        required=names("-q -V --query --verify"),
        flags=names(
            """-q -a -i -l -f -V -c -d -R -p --query --all --info --list --file --verify --last --changelog --requires
            --provides --whatprovides --whatrequires --scripts --nosignature"""
        ),
        values=names("--qf --queryformat --root -r --dbpath"),
    ),
    "pacman": Tool(required=names("-Q --query"), flags=names("-Q -q -i -l -o -e -s -k -u -m -t --query")),
    "needs-restarting": Tool(flags=names("-r -s -u")),
    "subscription-manager": tree(read="status list identity version"),
}
