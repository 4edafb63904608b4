#!/bin/sh
# The state backends of Flink 2.3 by themselves, one thread, no job and no network: prints
# RESULT<TAB>system<TAB>operation<TAB>keys<TAB>median<TAB>least<TAB>most, in operations a second.
#
#     run.sh FOLDER heap|rocks-tuned value|ttl|list|list100|map|reduce|str KEYS
#
# FOLDER gets the jars, by pip, and some gigabytes while it runs. A JDK 17 must be there, and 8 GB of memory.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
shift
mkdir -p "$folder/out" "$folder/data"
cd "$folder"
if [ ! -d venv ]; then
    python3 -m venv venv
    venv/bin/pip -q install --no-deps apache-flink-libraries==2.3.0
fi
jars=$(find venv -name 'flink-dist*.jar' -o -name 'log4j-*.jar' | tr '\n' ':')
[ out/StateBench.class -nt "$here/StateBench.java" ] || javac -nowarn -cp "$jars" -d out "$here/StateBench.java"
opens=$(for package in lang util net time nio; do printf -- '--add-opens=java.base/java.%s=ALL-UNNAMED ' $package; done)
# shellcheck disable=SC2086
exec java -Xms8g -Xmx8g -XX:+AlwaysPreTouch $opens -Dlog4j.configurationFile="$here/log4j2.properties" -cp "out:$jars" StateBench "$@"
