// `node emmett.mjs HOST PORT USER PASSWORD DATABASE`: the same commands through Emmett's command handler and its
// PostgreSQL event store, which remembers no aggregates. As many connections as writers.
import { DeciderCommandHandler } from '@event-driven-io/emmett';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import pg from 'pg';

const NOTE = 'n'.repeat(100);
const CONNECTIONS = 64;
const STREAMS = 200;
const EVENTS_BEFORE = 10;

const [host, port, user, password, database] = process.argv.slice(2);
const dsn = `postgresql://${user}:${password}@${host}:${port}/${database}`;
const pool = new pg.Pool({ connectionString: dsn, max: CONNECTIONS });
const store = getPostgreSQLEventStore(dsn, { connectionOptions: { pooled: true, pool } });
await store.schema.migrate();

const counted = (number, note) => ({ type: 'Counted', data: { number, note } });
const handle = DeciderCommandHandler({
  initialState: () => ({ number: 0 }),
  decide: (command, state) => [counted(state.number + 1, command.data.note)],
  evolve: (state, event) => ({ number: event.data.number }),
});
const count = (stream) => handle(store, stream, { type: 'Count', data: { note: NOTE } });

async function made(writers) {
  const streams = Array.from({ length: STREAMS }, () => `counter-${randomUUID()}`);
  const events = Array.from({ length: EVENTS_BEFORE }, (_, number) => counted(number + 1, NOTE));
  for (let start = 0; start < STREAMS; start += 20)
    await Promise.all(streams.slice(start, start + 20).map((stream) => store.appendToStream(stream, events)));
  return Array.from({ length: writers }, (_, writer) => streams.filter((_, at) => at % writers === writer));
}

async function run({ way, writers, seconds }) {
  const streams = way === 'load' ? await made(writers) : null;
  const began = performance.now();
  const working = async (writer) => {
    let done = 0;
    for (; performance.now() - began < seconds * 1000; done += 1) {
      const mine = streams?.[writer];
      await count(mine ? mine[done % mine.length] : `counter-${randomUUID()}`);
    }
    return done;
  };
  const each = await Promise.all(Array.from({ length: writers }, (_, writer) => working(writer)));
  return each.reduce((sum, done) => sum + done, 0) / ((performance.now() - began) / 1000);
}

for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify({ per_second: await run(JSON.parse(line)) })}\n`);
await store.close();
await pool.end();
