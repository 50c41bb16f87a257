import { MemoryEventStore } from './memory-event-store.js';
import { describeEventStore } from './testing.js';

describeEventStore('memory', () => new MemoryEventStore(), { survivesRestart: false });
