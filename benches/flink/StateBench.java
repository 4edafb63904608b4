import java.io.File;
import java.lang.reflect.*;
import java.nio.file.*;
import java.time.Duration;
import java.util.*;

import org.apache.flink.api.common.*;
import org.apache.flink.api.common.functions.ReduceFunction;
import org.apache.flink.api.common.state.*;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.base.*;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.configuration.*;
import org.apache.flink.core.fs.CloseableRegistry;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.runtime.execution.Environment;
import org.apache.flink.runtime.io.disk.iomanager.IOManagerAsync;
import org.apache.flink.runtime.jobgraph.JobVertexID;
import org.apache.flink.runtime.memory.MemoryManager;
import org.apache.flink.runtime.query.KvStateRegistry;
import org.apache.flink.runtime.state.*;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.runtime.state.ttl.TtlTimeProvider;
import org.apache.flink.runtime.taskmanager.TaskManagerRuntimeInfo;
import org.apache.flink.state.rocksdb.*;
import org.apache.flink.util.SimpleUserCodeClassLoader;

/** Micro-benchmark of Flink's synchronous keyed state backends, no job, no network, one thread. */
public class StateBench {
    public static class Pojo {
        public long id; public long ts; public double amount; public int count; public boolean flag;
        public String name; public String city;
        public Pojo() {}
    }

    // ---------- environment stubs ----------
    @SuppressWarnings("unchecked")
    static <T> T stub(Class<T> c, Map<String, Object> answers) {
        return (T) Proxy.newProxyInstance(c.getClassLoader(), new Class<?>[] {c}, (p, m, a) -> {
            String n = m.getName();
            if (answers.containsKey(n)) return answers.get(n);
            if (n.equals("toString")) return "stub " + c.getSimpleName();
            if (n.equals("hashCode")) return System.identityHashCode(p);
            if (n.equals("equals")) return p == a[0];
            if (System.getenv("STUB_TRACE") != null) System.err.println("unanswered " + c.getSimpleName() + "." + n);
            Class<?> r = m.getReturnType();
            if (r == boolean.class) return false;
            if (r == int.class) return 0;
            if (r == long.class) return 0L;
            if (r == Optional.class) return Optional.empty();
            return null;
        });
    }

    static Configuration conf(String type) {
        Configuration c = new Configuration();
        switch (type) {
            case "heap": break;
            case "rocks-tuned":
                c.setString("state.backend.rocksdb.memory.managed", "false");
                c.setString("state.backend.rocksdb.block.cache-size", "256mb");
                c.setString("state.backend.rocksdb.writebuffer.size", "64mb");
                c.setString("state.backend.rocksdb.writebuffer.count", "4");
                c.setString("state.backend.rocksdb.use-bloom-filter", "true");
                c.setString("state.backend.rocksdb.compression.per.level", "NO_COMPRESSION"); break;
            default: throw new IllegalArgumentException(type);
        }
        return c;
    }

    static <K> CheckpointableKeyedStateBackend<K> create(String type, TypeSerializer<K> ks, File dir) throws Exception {
        Configuration c = conf(type);
        ClassLoader cl = StateBench.class.getClassLoader();
        StateBackend b;
        if (type.equals("heap")) b = new HashMapStateBackend().configure(c, cl);
        else if (type.startsWith("rocks")) {
            EmbeddedRocksDBStateBackend r = new EmbeddedRocksDBStateBackend(true).configure(c, cl);
            r.setDbStoragePath(dir.getAbsolutePath()); b = r;
        } else throw new IllegalArgumentException(type);
        Map<String, Object> tm = new HashMap<>();
        tm.put("getConfiguration", c);
        tm.put("getTmpDirectories", new String[] {dir.getAbsolutePath()});
        tm.put("getTmpWorkingDirectory", dir);
        tm.put("getTaskManagerExternalAddress", "localhost");
        Map<String, Object> tsm = new HashMap<>();
        tsm.put("createLocalRecoveryConfig", LocalRecoveryConfig.BACKUP_AND_RECOVERY_DISABLED);
        JobID job = new JobID();
        Map<String, Object> e = new HashMap<>();
        e.put("getTaskManagerInfo", stub(TaskManagerRuntimeInfo.class, tm));
        e.put("getTaskStateManager", stub(TaskStateManager.class, tsm));
        e.put("getExecutionConfig", new ExecutionConfig());
        e.put("getJobID", job);
        e.put("getJobVertexId", new JobVertexID());
        e.put("getTaskInfo", new TaskInfoImpl("bench", 1, 0, 1, 0));
        e.put("getJobInfo", new JobInfoImpl(job, "bench"));
        e.put("getTaskConfiguration", new Configuration());
        e.put("getJobConfiguration", c);
        e.put("getUserCodeClassLoader", SimpleUserCodeClassLoader.create(cl));
        e.put("getIOManager", new IOManagerAsync(dir.getAbsolutePath()));
        e.put("getAsyncOperationsThreadPool", java.util.concurrent.Executors.newSingleThreadExecutor(r -> { Thread t = new Thread(r); t.setDaemon(true); return t; }));
        e.put("getMemoryManager", MemoryManager.create(1L << 30, MemoryManager.DEFAULT_PAGE_SIZE));
        Environment env = stub(Environment.class, e);
        int kg = 128;
        return b.createKeyedStateBackend(new KeyedStateBackendParametersImpl<>(
                env, job, "op", ks, kg, new KeyGroupRange(0, kg - 1),
                new KvStateRegistry().createTaskRegistry(job, new JobVertexID()),
                TtlTimeProvider.DEFAULT, new UnregisteredMetricsGroup(), 
                (n, v) -> {},
                Collections.emptyList(), new CloseableRegistry(), 1.0));
    }

    // ---------- harness ----------
    static volatile Object sinkO; static long sinkL;
    interface Chunk { void run(int from, int n) throws Exception; }  // ops from..from+n (index into key order)
    static String backendName; static int nKeys; static String only = "";
    static final int WARM = 3, MEAS = 5; static final long ROUND_NS = Long.getLong("bench.round.ms", 1000) * 1_000_000L; static final int CH = 5000;

    static void timed(String op, Chunk c) throws Exception {
        int pos = 0; double[] r = new double[MEAS];
        for (int round = 0; round < WARM + MEAS; round++) {
            long ops = 0, t0 = System.nanoTime(), t;
            do { c.run(pos, CH); pos += CH; if (pos + CH > nKeys) pos = 0; ops += CH; t = System.nanoTime(); } while (t - t0 < ROUND_NS);
            if (round >= WARM) r[round - WARM] = ops * 1e9 / (t - t0);
        }
        report(op, r);
    }
    /** fixed number of operations a round (for ops that grow the state). */
    static void counted(String op, int opsPerRound, int modKeys, Chunk c) throws Exception {
        double[] r = new double[MEAS]; int pos = 0;
        for (int round = 0; round < WARM + MEAS; round++) {
            long t0 = System.nanoTime();
            for (int done = 0; done < opsPerRound; done += CH) { c.run(pos, CH); pos += CH; if (pos + CH > modKeys) pos = 0; }
            long t = System.nanoTime();
            if (round >= WARM) r[round - WARM] = opsPerRound * 1e9 / (t - t0);
        }
        report(op, r);
    }
    static void report(String op, double[] r) {
        double[] s = r.clone(); Arrays.sort(s);
        System.out.printf(Locale.ROOT, "RESULT\tflink-2.3 %s\t%s\t%d\t%.0f\t%.0f\t%.0f%n", backendName, op, nKeys, s[s.length / 2], s[0], s[s.length - 1]);
        System.out.flush();
    }
    static void check(boolean ok, String what) { if (!ok) throw new AssertionError(what); }
    static long[] shuffled(int n) {
        long[] k = new long[n]; for (int i = 0; i < n; i++) k[i] = i;
        Random r = new Random(42);
        for (int i = n - 1; i > 0; i--) { int j = r.nextInt(i + 1); long t = k[i]; k[i] = k[j]; k[j] = t; }
        return k;
    }
    static <S extends State> S state(KeyedStateBackend<?> b, StateDescriptor<S, ?> d) throws Exception {
        d.initializeSerializerUnlessSet(new ExecutionConfig());
        return b.getPartitionedState(VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE, d);
    }
    static void compact(KeyedStateBackend<?> b, StateDescriptor<?, ?> d) throws Exception {
        if (b instanceof RocksDBKeyedStateBackend) ((RocksDBKeyedStateBackend<?>) b).compactState(d);
    }

    public static void main(String[] a) throws Exception {
        backendName = a[0]; String group = a[1]; nKeys = Integer.parseInt(a[2]);
        File dir = Files.createTempDirectory(Paths.get(System.getProperty("bench.dir", "data")), "fl").toFile();
        try {
            if (group.equals("str")) str(dir); else lng(group, dir);
        } finally {
            try (var w = Files.walk(dir.toPath())) { w.sorted(Comparator.reverseOrder()).forEach(p -> p.toFile().delete()); }
        }
        System.exit(0);
    }

    static void lng(String group, File dir) throws Exception {
        final CheckpointableKeyedStateBackend<Long> b = create(backendName, LongSerializer.INSTANCE, dir);
        final long[] keys = shuffled(nKeys);
        final Random rnd = new Random(7);
        switch (group) {
            case "value": case "ttl": {
                ValueStateDescriptor<Long> d = new ValueStateDescriptor<>("v", Long.class);
                String p = "value";
                if (group.equals("ttl")) { d.enableTimeToLive(StateTtlConfig.newBuilder(Duration.ofHours(1)).build()); p = "ttl-value"; }
                final ValueState<Long> v = state(b, d);
                for (int i = 0; i < nKeys; i++) { b.setCurrentKey((long) i); v.update(rnd.nextLong()); }
                b.setCurrentKey(keys[0]); check(v.value() != null, "value present");
                timed(p + " get", (f, n) -> { long s = 0; for (int i = f; i < f + n; i++) { b.setCurrentKey(keys[i]); s += v.value(); } sinkL += s; });
                timed(p + " update", (f, n) -> { for (int i = f; i < f + n; i++) { b.setCurrentKey(keys[i]); v.update((long) i << 20); } });
                timed(p + " rmw", (f, n) -> { for (int i = f; i < f + n; i++) { b.setCurrentKey(keys[i]); Long o = v.value(); v.update(o == null ? 1L : o + 1L); } });
                break;
            }
            case "list": {
                ListStateDescriptor<Long> d = new ListStateDescriptor<>("l", Long.class);
                final ListState<Long> l = state(b, d);
                for (int i = 0; i < nKeys; i++) { b.setCurrentKey((long) i); l.add(rnd.nextLong()); }
                counted("list add", 2 * nKeys, nKeys, (f, n) -> { for (int i = f; i < f + n; i++) { b.setCurrentKey(keys[i]); l.add((long) i); } });
                break;
            }
            case "list100": {   // nKeys lists of 100 elements, built by 100 separate adds, then compacted
                ListStateDescriptor<Long> d = new ListStateDescriptor<>("l", Long.class);
                final ListState<Long> l = state(b, d);
                for (int j = 0; j < 100; j++) for (int i = 0; i < nKeys; i++) { b.setCurrentKey(keys[i]); l.add(rnd.nextLong()); }
                compact(b, d);
                b.setCurrentKey(keys[0]); int c = 0; for (Long x : l.get()) c++; check(c == 100, "100 elements");
                timed("list get+iterate 100", (f, n) -> { long s = 0; for (int i = f; i < f + n; i++) { b.setCurrentKey(keys[i]); for (Long x : l.get()) s += x; } sinkL += s; });
                final List<Long> hundred = new ArrayList<>(); for (int i = 0; i < 100; i++) hundred.add(rnd.nextLong());
                final long[] base = {nKeys};
                counted("list addAll 100 (new key)", nKeys, nKeys, (f, n) -> { for (int i = 0; i < n; i++) { b.setCurrentKey(base[0]++); l.addAll(hundred); } });
                break;
            }
            case "map": {
                MapStateDescriptor<Long, Double> d = new MapStateDescriptor<>("m", Long.class, Double.class);
                final MapState<Long, Double> m = state(b, d);
                for (int i = 0; i < nKeys; i++) { b.setCurrentKey((long) i); for (long j = 0; j < 10; j++) m.put(j, rnd.nextDouble()); }
                b.setCurrentKey(keys[0]); int c = 0; for (Object x : m.entries()) c++; check(c == 10 && m.contains(9L) && !m.contains(10L), "10 entries");
                timed("map get", (f, n) -> { double s = 0; for (int i = f; i < f + n; i++) { b.setCurrentKey(keys[i]); s += m.get((long) (i % 10)); } sinkL += (long) s; });
                timed("map contains (half miss)", (f, n) -> { int s = 0; for (int i = f; i < f + n; i++) { b.setCurrentKey(keys[i]); if (m.contains((long) (i % 20))) s++; } sinkL += s; });
                timed("map iterate 10", (f, n) -> { double s = 0; for (int i = f; i < f + n; i++) { b.setCurrentKey(keys[i]); for (Map.Entry<Long, Double> e : m.entries()) s += e.getKey() + e.getValue(); } sinkL += (long) s; });
                timed("map put (overwrite)", (f, n) -> { for (int i = f; i < f + n; i++) { b.setCurrentKey(keys[i]); m.put((long) (i % 10), (double) i); } });
                break;
            }
            case "reduce": {
                ReducingStateDescriptor<Long> d = new ReducingStateDescriptor<>("r", (ReduceFunction<Long>) (x, y) -> x + y, Long.class);
                final ReducingState<Long> r = state(b, d);
                for (int i = 0; i < nKeys; i++) { b.setCurrentKey((long) i); r.add(rnd.nextLong()); }
                timed("reducing add", (f, n) -> { for (int i = f; i < f + n; i++) { b.setCurrentKey(keys[i]); r.add((long) i); } });
                break;
            }
            default: throw new IllegalArgumentException(group);
        }
        b.dispose();
    }

    static void str(File dir) throws Exception {
        final CheckpointableKeyedStateBackend<String> b = create(backendName, StringSerializer.INSTANCE, dir);
        final long[] order = shuffled(nKeys);
        final String[] keys = new String[nKeys];
        for (int i = 0; i < nKeys; i++) keys[i] = String.format("user-%016d", order[i]);
        ValueStateDescriptor<Pojo> d = new ValueStateDescriptor<>("p", TypeInformation.of(Pojo.class));
        final ValueState<Pojo> v = state(b, d);
        for (int i = 0; i < nKeys; i++) {   // natural order, key objects other than those used for access
            b.setCurrentKey(String.format("user-%016d", i));
            Pojo p = new Pojo(); p.id = i; p.ts = i; p.amount = 1.5; p.count = 0; p.flag = true;
            p.name = String.format("name-%025d", i); p.city = String.format("city-%025d", i);
            v.update(p);
        }
        timed("str/pojo100 get", (f, n) -> { long s = 0; for (int i = f; i < f + n; i++) { b.setCurrentKey(keys[i]); s += v.value().count; } sinkL += s; });
        timed("str/pojo100 rmw", (f, n) -> { for (int i = f; i < f + n; i++) { b.setCurrentKey(keys[i]); Pojo p = v.value(); p.count++; p.ts = i; v.update(p); } });
        b.dispose();
    }
}
