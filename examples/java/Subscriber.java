// Reads Trellis' topics from their first record, follows each partition's chain, and prints what it saw.
//
//   java -cp 'kafka-clients.jar:slf4j-api.jar' Subscriber.java HOST:PORT [TOPIC ...]
//
// A subscriber that goes on for ever does the same in its poll loop, and keeps `position`, `logId` and the offset after the last
// applied record in the transaction in which it writes what it made of the events.

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class Subscriber {
  static final String[] TOPICS = {"goals.events", "feedback.events", "reviews.events", "rewards.events"};
  static final String LOG_MARK = "trellis.log.LogMark.v1";

  /** One partition, and how far its chain was followed. */
  static class Partition {
    String logId;
    long position;
    long seen;
    long events;
    long duplicates;
    boolean forked;
    MessageDigest digest = sha256();

    void take(ConsumerRecord<byte[], byte[]> record) {
      String log = header(record, "ce_logid");
      if (logId == null || log.compareTo(logId) > 0) { // log ids are UUIDv7: the younger log is the greater one
        logId = log;
        position = seen = events = 0;
        forked = false;
        digest = sha256();
      } else if (log.compareTo(logId) < 0) {
        duplicates++; // of a log that was replaced
        return;
      }
      long previous = Long.parseLong(header(record, "ce_previousposition"));
      if (header(record, "ce_type").equals(LOG_MARK)) {
        seen = Math.max(seen, previous); // a mark that names more than was applied: something is missing
        return;
      }
      long here = Long.parseLong(header(record, "ce_position"));
      seen = Math.max(seen, here);
      if (here <= position) {
        duplicates++;
      } else if (previous == position) {
        apply(record);
        position = here;
      } else if (previous < position) {
        forked = true;
      } // else a hole: do not apply, go on reading; the relay sends the missing records again
    }

    void apply(ConsumerRecord<byte[], byte[]> record) {
      events++;
      UUID id = UUID.fromString(header(record, "ce_id"));
      digest.update(ByteBuffer.allocate(16).putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits()).array());
      digest.update(sha256().digest(record.value()));
    }

    boolean whole() {
      return !forked && seen <= position;
    }
  }

  public static void main(String[] arguments) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", arguments[0]);
    settings.put("auto.offset.reset", "earliest");
    settings.put("enable.auto.commit", "false");
    settings.put("allow.auto.create.topics", "false");
    String[] topics = arguments.length > 1 ? java.util.Arrays.copyOfRange(arguments, 1, arguments.length) : TOPICS;
    Map<String, List<Partition>> found = new TreeMap<>();
    try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> all = new ArrayList<>();
      for (String topic : topics) {
        List<Partition> partitions = new ArrayList<>();
        for (int number = 0; number < consumer.partitionsFor(topic).size(); number++) {
          all.add(new TopicPartition(topic, number));
          partitions.add(new Partition());
        }
        found.put(topic, partitions);
      }
      consumer.assign(all);
      consumer.seekToBeginning(all);
      Map<TopicPartition, Long> ends = consumer.endOffsets(all);
      while (all.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
        for (var record : consumer.poll(Duration.ofMillis(500))) {
          found.get(record.topic()).get(record.partition()).take(record);
        }
      }
    }
    boolean whole = true;
    for (var entry : found.entrySet()) {
      MessageDigest digest = sha256();
      entry.getValue().forEach(partition -> digest.update(partition.digest.digest()));
      boolean unbroken = entry.getValue().stream().allMatch(Partition::whole);
      long events = entry.getValue().stream().mapToLong(partition -> partition.events).sum();
      System.out.printf("%s %d %s %s%n", entry.getKey(), events, HexFormat.of().formatHex(digest.digest()), unbroken ? "unbroken" : "BROKEN");
      whole &= unbroken;
    }
    System.exit(whole ? 0 : 1);
  }

  static String header(ConsumerRecord<byte[], byte[]> record, String name) {
    return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (java.security.NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
