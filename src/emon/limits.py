"""Every bound, with its reason. Rule parameters that orders may override are defaults here too."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from emon.domain.instant import DAY, HOUR, MINUTE, SECOND

# --- input -----------------------------------------------------------------------------------------------
MAX_LINE_BYTES: Final = 1 << 20  # a reading is some hundred bytes; a line a thousand times that is no reading
MAX_NESTING: Final = 32  # deeper JSON is an attack on the parser
MAX_DOCUMENT_BYTES: Final = 64 << 20  # a file of orders or zones; a country's borders in full detail fit
MAX_DOCUMENT_NODES: Final = 5_000_000  # values in such a file once YAML aliases are followed: no alias bombs
MAX_KEPT_RAW_BYTES: Final = 64 << 10  # of a rejected slice; far above any reading, far below a record
MAX_ID_CHARS: Final = 200  # ids stand in keys, file names and messages
MAX_BODY_BYTES: Final = 8 << 20  # one HTTP body; a docked bracelet's day is below 1 MiB
MAX_BODY_SLICES: Final = 100_000  # in such a body: 84 bytes each; more is no readings, but costs as much as them
MAX_CSV_HEADER_BYTES: Final = 4 << 10  # is kept with each row, so that a row can be understood by itself
INLINE_BODY_BYTES: Final = 64 << 10  # a larger body is unpacked and understood beside the loop that answers
OLDEST_OBSERVED_AT: Final = 946_684_800 * SECOND  # 2000-01-01Z: older clocks were never set
LATEST_OBSERVED_AT: Final = 7_258_118_400 * SECOND  # 2200-01-01Z: a vendor's "never" (2999) sets no clock
MAX_AHEAD: Final = DAY  # a device's clock may be wrong by a zone, not by more
HISTORY_DAYS: Final = 400  # a year's order and its appeal; bounds every rewind
DUPLICATE_WINDOW: Final = DAY  # re-sends are recognised in the answer for so long
SIGNATURE_WINDOW: Final = 5 * MINUTE  # replay protection of signed requests

# --- rules, version 1 (semantics: section numbers in the rules' docstrings) --------------------------------
RULE_VERSION: Final = 1
ACCURACY_FACTOR: Final = 1.0  # k: how many accuracies a fix must lie off a border to decide
UNKNOWN_ACCURACY_M: Final = 50.0
CONFIRM_FIXES: Final = 2
CHAIN_GAP: Final = 30 * MINUTE
STATE_BEFORE_START: Final = 30 * MINUTE  # how old a fix may be to say where somebody was at a start
ABSENT_GAP: Final = 60 * MINUTE
ATTENDANCE_EDGE: Final = 10 * MINUTE  # seen so shortly before a window's end or after its start: late, or left
CONFLICT_SPAN: Final = 56 * DAY  # of an order's time searched for conditions that contradict each other: weekly windows
ATTENDANCE_LOOK: Final = 8 * DAY  # windows are weekly: further ahead none need be looked for
CONTACT_EVERY_S: Final = 600.0
CONTACT_HOLD_S: Final = 300.0
LATE_AFTER: Final = 15 * MINUTE
OUTAGE_MIN_MEMBERS: Final = 5
OWN_OUTAGE_GAP: Final = 30 * SECOND
BATTERY_LOW: Final = 0.15  # a fraction of full: a day's warning on usual bracelets
BATTERY_CRITICAL: Final = 0.05  # about to fall silent
BATTERY_CHARGED: Final = 0.30  # well above low, so that a charge that wavers is one finding
CIRCUMSTANCES_BACK: Final = DAY  # before a silence or a low battery: how far evidence looks for what else is known
CHARGE_RISES: Final = 0.02  # a charge that grows by so much was charged; less is the gauge's noise
DISCHARGE_SPAN: Final = 30 * MINUTE  # a forecast rests on a fall over at least so long ...
DISCHARGE_LEAST: Final = 0.02  # ... and by so much
MOCK_CLEAR_AFTER: Final = 10 * MINUTE  # a phone that fakes its place says so again well within
MOTION_WITHIN: Final = HOUR  # without a position for so long: no tunnel, no cellar, no errand in a large building
MOTION_LEAST: Final = 10 * MINUTE  # of motion within it: less is fidgeting, or a bag carried around
CROSSING_GAP: Final = 5 * MINUTE  # fixes further apart say nothing of the way between them
CROSSING_BACK: Final = DAY  # where fixes lay is remembered roughly for so long: later ones are looked up
CROSSING_DEPTH_M: Final = 25.0  # a path that goes less deep only grazes: roads run along borders
CROSSING_BOX_DEG: Final = 0.2  # a path within so small a box bulges out of it by less than CROSSING_DEPTH_M
CHARGE_LEAST: Final = HOUR  # of charging, in pieces too, within the time that an order sets
TEST_SPAN: Final = DAY  # results under one test id lie no further apart; more is the id given to another test
ALCOHOL_LIMITS: Final[Mapping[str, float]] = MappingProxyType({  # an order's `limits` may say otherwise
    "breath_g_210l": 0.020,  # above what mouth alcohol and sensor noise leave after a quarter of an hour
    "confirmation_from_s": 900.0,  # mouth alcohol is gone by then
    "confirmation_until_s": 1800.0,  # later ones are tests of their own
    "not_received_s": 5400.0,  # a device holds a result for so long without being suspected
    "positive_g_dl": 0.020,  # through the skin: above sensor drift
    "consecutive": 3.0,  # so many readings at it; one is an artefact
    "consecutive_gap_s": 5400.0,  # sensors sample every 30 minutes: three samples
    "gap_s": 14400.0,  # a longer pause hides too much of a curve to call it one
    "absorption_g_dl_per_h": 0.05,  # what is drunk rises more slowly than what is spilt
    "elimination_g_dl_per_h": 0.025,
    "high_peak_g_dl": 0.15,  # from there on bodies are faster
    "elimination_high_g_dl_per_h": 0.035,
    "interferent_g_dl_per_h": 0.3,  # between neighbours: no body does that
    "ir_above": 0.12,  # fractions of the infrared voltage's mean of the day before
    "ir_below": 0.17,
    "obstruction_s": 28800.0,
    "no_upload_s": 172800.0,  # two missed daily uploads
    "positive_ug_l": 5.0,  # sensors in ug/L of air: means above it; never converted
    "mean_s": 1800.0,
    "worn_c": 28.0,  # colder skin is no skin
})
KEEP_AWAY_LIMITS: Final[Mapping[str, float]] = MappingProxyType({  # an order's `limits` may say otherwise
    "pair_s": 90.0,  # fixes of two people further apart in time say little about their distance
    "unknown_speed_mps": 1.5,  # a brisk walk, where no device of the pair says how fast it moves
    "every_s": CONTACT_EVERY_S,  # how often the protected person's device must be heard
    "hold_s": CONTACT_HOLD_S,
    "battery_low": BATTERY_LOW,
    "battery_critical": BATTERY_CRITICAL,
    "battery_charged": BATTERY_CHARGED,
})
LIMITS_OF_KIND: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType({
    "keep_away": KEEP_AWAY_LIMITS,
    "alcohol": ALCOHOL_LIMITS,
    "substance_testing": MappingProxyType({}),
})
DEFAULT_FEED: Final = "default"
FEED_GRAIN: Final = MINUTE  # a feed's shorter pauses are not remembered, unless an order asks for a reading more often
FEED_GRAIN_FOR: Final = 2 * DAY  # then only pauses longer than what some order has asked for: bounds the memory
FEED_STRETCHES: Final = 4_096  # of one feed, before those that are no longer needed are looked for

# --- running -----------------------------------------------------------------------------------------------
TICK_EVERY: Final = SECOND
SWITCH_S: Final = 0.0005  # a bulk step gives way to a waiting thread after this; more often would cost throughput
THREADS: Final = 32  # for work beside the loop: judging must not queue behind those who wait for a turn at the store

# --- store, alerts, notifications ----------------------------------------------------------------------------
STORE_BUSY_TIMEOUT_S: Final = 10.0  # how long a writer waits for another; a bulk append takes well below one
STORE_POOL_SIZE: Final = 20  # connections a process; more only queue inside the database

# --- journal -----------------------------------------------------------------------------------------------
CHUNK_RECORDS: Final = 1_000  # records in one row of the embedded journal: a small read decodes no more
GROUP_COMMIT_JOBS: Final = 4_096  # requests that share one fsync; more would only delay the first
SQLITE_BUSY_S: Final = 10.0  # wait for another process's write lock; its transactions take milliseconds
POLL_BYTES: Final = 8 << 20  # of the embedded journal at once: a first start's versions are large, and decoded larger
RECENT_RECORDS: Final = 10_000  # of each partition, kept in memory for this process's own readers: some 5 MB
WATCH_EVERY_S: Final = 0.05  # how soon the embedded journal sees another process's appends
DEAD_MEMBERS_EVERY_S: Final = 1.0  # how soon a killed process's partitions are given to the others
HISTORY_PAGE_BYTES: Final = 16_384  # of the history's SQLite file: its rows are kilobytes, and pages cost by number
HISTORY_READ_BATCH: Final = 256  # chunks read at once: about a megabyte

# --- ingest and route ----------------------------------------------------------------------------------------
FEED_READINGS_PER_S: Final = 50_000  # what one feed may bring in the long run: above what one process can take
FEED_BURST_S: Final = 20.0  # a feed that was away may bring so many seconds' worth at once
KEY_CACHE_S: Final = 5.0  # a revoked key works for no longer than this
DEVICE_CACHE_S: Final = 60.0  # a device registered for another feed is let in by the old one for no longer
INTAKE_READINGS: Final = 100_000  # readings waiting for the journal; more would only wait, so they get 503
INTAKE_GROUP: Final = 5_000  # readings that share one append: beyond it the journal is no faster
RETRY_AFTER_S: Final = 5  # said with 503: a broker elects a leader in about that time
FOLLOW_EVERY_S: Final = 0.5  # how soon an ingest process knows what another one accepted
TRIM_EVERY_S: Final = 60.0  # how often ingest forgets what the router's chunks hold by now
RECEIVED_LISTED: Final = 5_000  # readings in one answer about what arrived; then from the last one on
CHUNK_READINGS: Final = 32  # a device's readings in one row of its history: half an hour at one a minute
CHUNK_AGE: Final = 30 * MINUTE  # what a restarted router or ingest must read again of the raw log at most
ROUTE_RECORDS: Final = 5_000  # raw records in one transaction: half a second's backlog at full speed
OWN_LEASE_S: Final = 3.0  # a standby router takes over after so long
ROUTE_POLL_S: Final = 0.2  # how long the router waits for records before it looks after its own affairs
CLAIM_LEASE: Final = 120 * SECOND  # an open console renews it every 40 s; a closed one frees the alert soon
RE_ALARM_WITHIN: Final = 15 * MINUTE  # the same trouble again is the same piece of work for so long
TAMPER_REPEATS_WITHIN: Final = DAY  # one loose strap makes twenty tampers a day: one row with a count
SELF_CLEAR_HOLD: Final = 5 * MINUTE  # contact that is back for so long is back
WORK_TIMEOUT: Final = {1: 5 * MINUTE, 2: 15 * MINUTE, 3: HOUR, 4: 4 * HOUR}  # acknowledged, then no work
ALERTS_BATCH: Final = 150  # findings a transaction: an operator's command waits for at most one, some 120 ms
TIMER_BATCH: Final = 500  # alerts whose timers fire in one transaction
TIMER_EVERY_S: Final = 1.0  # wall seconds between looks at leases and time-outs
IDEMPOTENCY_WINDOW: Final = DAY  # a command sent again within a day is answered, not carried out
RETRY_FIRST_S: Final = 0.2  # first wait when the store or the journal is away; doubles
RETRY_MOST_S: Final = 10.0  # and no longer than this
MAX_RECORD_BYTES: Final = 16 << 20  # a body of MAX_BODY_BYTES that is kept whole, in base64
KAFKA_BATCH_BYTES: Final = 512 << 10  # one produce batch: larger ones gain nothing, smaller ones cost the broker
KAFKA_APPEND_RECORDS: Final = 20_000  # records that share one flush to Kafka: some 50 ms of work
KAFKA_TIMEOUT_S: Final = 10.0  # an append, commit or request that takes longer is Unavailable
KAFKA_STOP_S: Final = 3.0  # a client of an absent broker is not waited for any longer
KAFKA_SESSION_S: Final = 6.0  # a killed consumer's partitions are given to others after so long
KAFKA_HEARTBEAT_S: Final = 1.0  # how soon a consumer hears of a rebalance
KAFKA_TRANSACTION_S: Final = 15.0  # readers wait no longer behind a transaction whose writer was killed
PAGE_MOST: Final = 500  # rows a page of the API
TRACK_MOST: Final = 10_000  # readings a page of a track: a fix a second for almost three hours
ALERT_FINDINGS_MOST: Final = 200  # newest findings on the page of one alert
ALERT_EVENTS_MOST: Final = 1000  # newest log entries on the page of one alert
PARTICIPANT_ALERTS_MOST: Final = 100  # newest alerts on the page of one participant
EARLIER_ALERTS_MOST: Final = 20  # earlier alerts beside one alert
STREAM_POLL_S: Final = 0.2  # how often the log's end is looked at, for all streams together
STREAM_HEARTBEAT_S: Final = 5.0  # a screen calls itself stale after three missed ones
STREAM_PAGE: Final = 200  # log entries read or sent at once; a client that reads slowly waits with no more
STREAM_TAIL: Final = 2000  # newest log entries kept in memory for clients that are almost up to date
STREAMS_MOST: Final = 500  # open streams a process
NOTIFY_CATCH_UP_S: Final = 30.0  # how long a starting notify worker waits for alerts to have read all there is
PLAN_BATCH: Final = 100  # notices made into messages in one transaction
SEND_TIMEOUT_S: Final = 10.0  # one hand-off to a provider
SEND_LEASE: Final = 30 * SECOND  # a message in hand is somebody's for so long: three times the time-out
SEND_RETRY_FIRST: Final = 2 * SECOND  # after a passing failure; doubles
SEND_RETRY_MOST: Final = 5 * MINUTE  # and waits no longer than this
SEND_TRIES_A_METHOD: Final = 4  # passing failures before the person's next method is tried
SEND_GIVE_UP: Final = DAY  # the last method is tried for so long, then people are told that nobody was told
BATCH_STEP: Final = 20_000  # records that a batch run judges between two writes to its history
EVALUATE_RECORDS: Final = 50_000  # records of one step: the batch grows with the backlog up to here
EVALUATE_POLL_S: Final = 0.05  # how long an evaluator waits for more records
SNAPSHOT_EVERY_S: Final = 2.0  # what a restart has to read again; a save costs some 50 ms when little happened
SNAPSHOT_PAUSE: Final = 12.0  # times as long as the last save took: then saving takes a thirteenth of the time at most
SNAPSHOT_MOST_S: Final = 20.0  # even so: a restart reads no more again than it judges in as long
CACHED_READINGS: Final = 100_000  # of all participants together, decoded: some 50 MB; judging in full asks seldom
CACHED_POLYGONS: Final = 2048  # unpacked for measuring, some 1 kB each: unpacking one takes microseconds
CACHED_CORES: Final = 1024  # of them eroded, to tell which paths may lead through: some 4 kB each, 150 µs to make
CACHED_PATHS: Final = 1024  # whose depth in a zone was measured last: each is asked for several times in a row
CACHED_GROWN: Final = 256  # of them grown by their buffers, all arcs: some 32 kB each, and 70 µs to make
PENDING_BYTES: Final = 48_000_000  # of lines that wait for the history: more at once are fewer rows, and more memory
LOOK_AROUND: Final = 10 * MINUTE  # how far around late news is looked first for where the machine is empty
JUDGED_TOGETHER: Final = 30 * MINUTE  # news of one arrival observed further apart is judged each by itself
LEDGER_FIXES: Final = 64  # supporting fixes remembered a condition; before the oldest all is judged in full
LANE_SPAN: Final = 4 * MINUTE  # arrivals sorted out together; shorter than any sensible contact pace
LANE_READINGS: Final = 500  # and so many, or one of each participant: fewer cost more together than they save
GC_THRESHOLD: Final = (100_000, 20, 100)  # a router and an evaluator make many objects and hardly any cycles
