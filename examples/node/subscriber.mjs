// Reads Trellis' topics from their first record, follows each partition's chain, and prints what it saw.
//
//   npm install && node subscriber.mjs HOST:PORT [TOPIC ...]
//
// A subscriber that goes on for ever does the same in its handler, and keeps `position`, `logId` and the offset after the last
// applied record in the transaction in which it writes what it made of the events.

import { createHash } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'

const LOG_MARK = 'trellis.log.LogMark.v1'
const [address, ...named] = process.argv.slice(2)
const topics = named.length ? named : ['goals.events', 'feedback.events', 'reviews.events', 'rewards.events']

/** One partition, and how far its chain was followed. */
class Partition {
  duplicates = 0

  constructor() {
    this.begin('')
  }

  take(message) {
    const header = name => message.headers[name].toString()
    const log = header('ce_logid')
    if (log > this.logId) this.begin(log) // log ids are UUIDv7: the younger log is the greater one
    else if (log < this.logId) return void this.duplicates++ // of a log that was replaced
    const previous = BigInt(header('ce_previousposition'))
    if (header('ce_type') === LOG_MARK) return this.see(previous) // it names more than was applied: something is missing
    const here = BigInt(header('ce_position'))
    this.see(here)
    if (here <= this.position) this.duplicates++
    else if (previous === this.position) this.apply(header('ce_id'), message.value, here)
    else if (previous < this.position) this.forked = true
    // else a hole: do not apply, go on reading; the relay sends the missing records again
  }

  begin(log) {
    Object.assign(this, { logId: log, position: 0n, seen: 0n, events: 0, forked: false, digest: createHash('sha256') })
  }

  see(position) {
    if (position > this.seen) this.seen = position
  }

  apply(id, value, here) {
    this.events++
    this.digest.update(Buffer.from(id.replaceAll('-', ''), 'hex'))
    this.digest.update(createHash('sha256').update(value).digest())
    this.position = here
  }

  get whole() {
    return !this.forked && this.seen <= this.position
  }
}

const kafka = new Kafka({ clientId: 'example', brokers: [address], logLevel: logLevel.ERROR })
const admin = kafka.admin()
await admin.connect()
const read = new Map()
const waiting = new Set()
for (const topic of topics) {
  const offsets = (await admin.fetchTopicOffsets(topic)).sort((one, other) => one.partition - other.partition)
  read.set(topic, offsets.map(() => new Partition()))
  for (const { partition, high, low } of offsets) if (BigInt(high) > BigInt(low)) waiting.add(`${topic} ${partition} ${high}`)
}

const consumer = kafka.consumer({ groupId: `example-${process.pid}-${Date.now()}` })
await consumer.connect()
await consumer.subscribe({ topics, fromBeginning: true })
const all = new Promise(resolve => {
  if (!waiting.size) resolve()
  consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const message of batch.messages) {
        read.get(batch.topic)[batch.partition].take(message)
        waiting.delete(`${batch.topic} ${batch.partition} ${BigInt(message.offset) + 1n}`)
      }
      if (!waiting.size) resolve()
    }
  })
})
await all
await consumer.disconnect()
await admin.disconnect()

let whole = true
for (const topic of [...read.keys()].sort()) {
  const partitions = read.get(topic)
  const digest = createHash('sha256')
  partitions.forEach(partition => digest.update(partition.digest.digest()))
  const unbroken = partitions.every(partition => partition.whole)
  const events = partitions.reduce((sum, partition) => sum + partition.events, 0)
  console.log(`${topic} ${events} ${digest.digest('hex')} ${unbroken ? 'unbroken' : 'BROKEN'}`)
  whole &&= unbroken
}
process.exit(whole ? 0 : 1)
