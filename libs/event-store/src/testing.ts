export { describeEventStore, type EventStoreTraits } from './testing/describe-event-store.js';
