// Runs each scenario of a script once and prints what it did.
import { slept } from 'k6';
import { sent } from 'k6/http';
import { added } from 'k6/metrics';
const script = await import(process.argv[2]);
for (const s of Object.values(script.options.scenarios)) script[s.exec]();
console.log(JSON.stringify({ options: script.options, sent, slept, added }));
