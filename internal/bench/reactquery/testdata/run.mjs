// Invalidates two queries again and again, and prints what the probe wrote.
import { QueryClient, QueryObserver } from '@tanstack/query-core';
import { probe } from './perf-rq-probe.mjs';

const [base, rounds] = [process.argv[2], Number(process.argv[3])];
const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
const stop = probe(client, { write: (line) => console.log(line) });

async function times(name) {
  const queryKey = [name, { page: 1 }];
  const observer = new QueryObserver(client, { queryKey, queryFn: async () => {
    const answer = await fetch(`${base}/${name}`);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.text();
  } });
  const leave = observer.subscribe(() => {});
  await client.refetchQueries({ queryKey }); // which is no invalidation
  for (let i = 0; i < rounds; i++) await client.invalidateQueries({ queryKey });
  leave();
}

await Promise.all([times('fast'), times('slow'), times('broken')]);

// What nobody looks at is not waited for; what is set is no answer.
client.setQueryData(['unseen'], 1);
await client.invalidateQueries({ queryKey: ['unseen'] });
client.setQueryData(['unseen'], 2);
await new Promise((done) => setTimeout(done, 20));
await client.prefetchQuery({ queryKey: ['unseen'], queryFn: () => 3 });
stop();
