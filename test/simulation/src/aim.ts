import { type Model, type ModelDevice } from './model.js';
import { canGo } from './objections.js';
import { findsPasid } from './places.js';
import { type Request } from './request.js';
import { devices, slots } from './world.js';

/** The requests that name a device, and when they can be met: what does not only meet refusals aims there. */
const fitting: { readonly [Kind in Request['kind']]?: (device: ModelDevice) => boolean } = {
  'attach': ({ state }) => state !== 'attached',
  'decide': ({ guest, pasid }) => guest === 'unseen' && !pasid,
  'see': () => true,
  'detach': () => true,
  'enable-pasid': (device) => !device.pasid && findsPasid(device),
  'attach-pasid': ({ pasid }) => pasid !== null,
  'detach-pasid': ({ tables }) => tables.size > 0,
  'reset-pasids': ({ pasid }) => pasid !== null,
  'disable-pasid': ({ pasid, tables }) => pasid !== null && tables.size === 0,
  'enable-ats': ({ ats }) => !ats,
  'disable-ats': ({ ats, pri }) => ats && !pri,
  'enable-pri': ({ ats, pri }) => ats && !pri,
  'disable-pri': ({ pri }) => pri !== null,
};

/** The request, at a place where it can be met if there is one: the numbers in it say which of them. */
export function aimed(request: Request, model: Model): Request {
  if (request.kind === 'advance') {
    const from = { prepare: ['planned'], complete: ['prepared'], abort: ['planned', 'prepared'] }[request.step];
    const fit = [...model.migrations.entries()].filter(([, { state }]) => from.includes(state)).map(([index]) => index);
    const index = fit.at(-1 - request.back % (fit.length || 1));
    return index === undefined ? request : { ...request, back: model.migrations.length - 1 - index };
  }
  if (request.kind === 'plan') return aimedPlan(request, model);
  if (!('device' in request)) return request;
  const isAttach = request.kind === 'attach';
  const fit = devices.map(({ name }, index) => [index, model.device(name)] as const)
    .filter(([, one]) => (isAttach || one.state === 'attached') && fitting[request.kind]?.(one));
  const device = fit[request.device % (fit.length || 1)]?.[0] ?? request.device;
  if (!isAttach) return { ...request, device };
  const free = slots.map(({ name }, index) => [index, model.function(name)] as const)
    .filter(([, { registered, retired, claim }]) => registered && !retired && claim === null);
  const isFree = free.some(([index]) => index === request.slot);
  const slot = isFree ? request.slot : free[request.slot % (free.length || 1)]?.[0] ?? request.slot;
  return { ...request, device, slot };
}

/** A VM that has devices and may go, to slots they can go to. */
function aimedPlan(request: Extract<Request, { kind: 'plan' }>, model: Model): Request {
  const fit = ['vm-1', 'vm-2', 'vm-3'].filter((vm) => !model.held.has(vm) && model.attachedOf(vm).length > 0);
  const vm = fit.includes(request.vm) ? request.vm : fit[0] ?? request.vm;
  const to: number[] = [];
  for (const [index, [, device]] of model.attachedOf(vm).entries()) {
    const goals = model.goalsOf(device, request.host);
    const free = [...goals.entries()].filter(([at, { name }]) =>
      canGo(model, device, name) && to.every((other) => goals[other] !== goals[at]));
    const asked = request.to[index] ?? 0;
    to.push(free[asked % (free.length || 1)]?.[0] ?? asked);
  }
  return { ...request, vm, to };
}
