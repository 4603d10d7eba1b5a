package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/shadow"
)

// TestOverhead measures what watching a server with 5,000 statements costs it and
// planvet: `make overhead`. Processor times and memory are bounds in every run; wall
// time, which a busy machine stretches, with PLANVET_OVERHEAD alone.
func TestOverhead(t *testing.T) {
	if testing.Short() {
		t.Skip("-short starts no server")
	}
	const statements, every = 5000, 10 * time.Second
	major, _ := strconv.Atoi(os.Getenv("PLANVET_TEST_PG_MAJOR"))
	server, err := shadow.Start(t.Context(), shadow.Options{Major: major, Settings: []string{"shared_preload_libraries=pg_stat_statements", "pg_stat_statements.max=10000"}})
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("this test needs a PostgreSQL: %v", err)
	}
	defer server.Stop()
	url, err := server.NewDatabase(t.Context(), "overhead")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	fill(t, conn, statements)

	watch := planvetCommand(t, "monitor", "--database-url", url, "--watch", "--interval", "1s", "--top", "20")
	out := &pipe{}
	watch.Stdout, watch.Stderr = out, os.Stderr
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	defer watch.Process.Kill()
	out.wants(t, `(?m)^--- `, 1)
	var backend int
	if err := conn.QueryRow(t.Context(), "select pid from pg_stat_activity where application_name = 'planvet' and datname = current_database() order by backend_start desc limit 1").Scan(&backend); err != nil {
		t.Fatal(err)
	}
	seen := strings.Count(out.String(), "--- ")
	serverBefore, ownBefore := processorTime(t, backend), processorTime(t, watch.Process.Pid)
	out.wants(t, `(?m)^--- `, seen+10)
	readings := time.Duration(strings.Count(out.String(), "--- ") - seen)
	serverCost, own := (processorTime(t, backend)-serverBefore)/readings, (processorTime(t, watch.Process.Pid)-ownBefore)/readings
	peak := peakMemory(t, watch.Process.Pid)
	t.Logf("a reading of %d statements takes %s of the server's processor, %.2f %% of one core at one every %s, and %s of planvet's, whose memory peaks at %.1f MB",
		statements, serverCost, 100*float64(serverCost)/float64(every), every, own, float64(peak)/1e6)
	if serverCost >= every/100 {
		t.Errorf("the server pays %s for a reading, over 1 %% of a core", serverCost)
	}
	most := 60.0
	if os.Getenv("PLANVET_OVERHEAD") == "" {
		most = 75 // the test binary is planvet with all that tests link
	}
	if mb := float64(peak) / 1e6; mb >= most {
		t.Errorf("planvet holds %.1f MB, over %.0f", mb, most)
	}

	var took, used []time.Duration
	for range 7 {
		start := time.Now()
		cmd := planvetCommand(t, "monitor", "--database-url", url, "--top", "20")
		if text, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(text), "the first 20 by total") {
			t.Fatalf("%v: %s", err, text)
		}
		took, used = append(took, time.Since(start)), append(used, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
	slices.Sort(took)
	slices.Sort(used)
	t.Logf("--top 20 answers in %s (median of 7, from start to end), %s of it on a processor", took[3].Round(time.Millisecond), used[3].Round(time.Millisecond))
	if used[3] >= 120*time.Millisecond {
		t.Errorf("--top 20 takes %s of a processor: a busy machine would not answer in 300 ms", used[3])
	}
	if os.Getenv("PLANVET_OVERHEAD") != "" && took[3] >= 300*time.Millisecond {
		t.Errorf("--top 20 takes %s, over 300 ms", took[3])
	}
}

// planvetCommand is the program in a process of its own.
func planvetCommand(t *testing.T, args ...string) *exec.Cmd {
	program := os.Args[0]
	if built := os.Getenv("PLANVET_OVERHEAD"); built != "" {
		program = built // without what only tests link
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "PLANVET_TEST_MAIN=1")
	return cmd
}

// fill has a server count so many statements, of some tables and of the length that an
// application's have.
func fill(t *testing.T, conn *pgx.Conn, n int) {
	t.Helper()
	var b strings.Builder
	b.WriteString("create extension pg_stat_statements;\n")
	for i := range 50 {
		fmt.Fprintf(&b, "create table t%d (id bigint primary key, parent_id bigint references t%d, name text, state text, made_at timestamptz);\n", i, max(i-1, 0))
	}
	if _, err := conn.Exec(t.Context(), b.String()); err != nil {
		t.Fatal(err)
	}
	for from := 0; from < n; from += 250 {
		var batch pgx.Batch
		for i := from; i < from+250; i++ {
			// Names are no part of what tells statements apart, conditions are.
			var where strings.Builder
			for k, c := range []string{"A.state in ('open', 'closed')", "A.name = 'x'", "A.made_at > now() - interval '1 day'", "B.id > 7", "B.state <> 'gone'", "B.name like 'y%'", "B.made_at is not null"} {
				if i/50&(1<<k) != 0 {
					where.WriteString(" and " + c)
				}
			}
			// From PostgreSQL 18 on tables of one alias are one.
			text := fmt.Sprintf(`select A.id, A.name, A.state, A.made_at, B.name, B.state from A join B on B.id = A.parent_id
				where A.id = 1%s order by A.made_at desc limit 20`, where.String())
			batch.Queue(strings.NewReplacer("A", fmt.Sprintf("t%d", i%50), "B", fmt.Sprintf("t%d", (i+1)%50)).Replace(text))
		}
		if err := conn.SendBatch(t.Context(), &batch).Close(); err != nil {
			t.Fatal(err)
		}
	}
	var counted int
	if err := conn.QueryRow(t.Context(), "select count(*) from pg_stat_statements where query like 'select t%.id, t%'").Scan(&counted); err != nil || counted != n {
		t.Fatalf("%d statements are counted, want %d; %v", counted, n, err)
	}
}

// processorTime is what a process has used, user and system, in ticks of 10 ms.
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// peakMemory is the largest resident set that a process had, in bytes.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		if rest, ok := strings.CutPrefix(in.Text(), "VmHWM:"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n * 1024
		}
	}
	t.Fatal("/proc has no VmHWM")
	return 0
}
