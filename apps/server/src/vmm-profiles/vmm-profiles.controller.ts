import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { kernelViews } from '@cadastre/config-space';
import { documentAlone, knobsFor } from '@cadastre/device-layout';
import {
  type DeviceNames, guestView, hostKernelOf, impliedPasid, impliedPasidSays, vmmProfiles,
} from '@cadastre/vmm-profiles';
import { parse } from '../http/parse-name.js';
import { givenFunction, givenLayout } from '../layouts/given-function.js';
import { assumedOf, givenHost, givenKernel, pasidOf } from './given-host.js';
import { givenKnobs } from './given-knobs.js';
import { givenVmm } from './given-profile.js';
import { kernelOfView, predictionView, profileView } from './profile-view.js';
import { LayoutKnobsDto, PredictDto } from './vmm-profiles.dto.js';

/** Questions about VMMs: nothing is recorded, so nothing needs an idempotency key. */
@Controller('v1')
export class VmmProfilesController {
  constructor(private readonly queries: QueryBus) {}

  @Get('vmm-profiles')
  list(): object {
    return { profiles: vmmProfiles.map(profileView), kernels: kernelViews.map(kernelOfView) };
  }

  /** What a guest reads of a function before it wrote anything. */
  @Post('layouts/predict')
  @HttpCode(200)
  async predict(@Body() body: PredictDto): Promise<object> {
    const { profile, assumed: guessed } = givenVmm(body.vmm);
    const knobs = givenKnobs(body.knobs, profile);
    const given = await givenFunction(body, this.queries);
    const taken = givenKernel(body.kernel, given);
    const told = pasidOf(given);
    const implied = told ? null : impliedPasid(profile, knobs.settings ?? {});
    const host = givenHost(taken.kernel, given, told ?? implied, body);
    const prediction = guestView(given.survey.space, profile, knobs, host);
    const assumed = [...(guessed === null ? [] : [guessed]), ...assumedOf(taken),
      ...(implied ? [impliedPasidSays] : [])];
    return { kernel: taken.kernel, assumed, knobs, ...predictionView(prediction, given.address) };
  }

  /** What to set so that a VMM shows a layout. */
  @Post('layouts/knobs')
  @HttpCode(200)
  async knobs(@Body() body: LayoutKnobsDto): Promise<object> {
    const { profile, assumed: guessed } = givenVmm(body.vmm);
    const layout = givenLayout(body.layout, '/layout');
    const { port = 'root-port', settings = {} } = givenKnobs(body.knobs, profile);
    const hasFunction = Boolean(body.function ?? body.configSpace);
    const given = hasFunction ? await givenFunction(body, this.queries) : null;
    const taken = given ? givenKernel(body.kernel, given) : hostKernelOf(body.kernel ?? documentAlone.kernel);
    const { seen, ...answer } = knobsFor(layout, profile, {
      physical: given?.survey ?? null, role: given?.role ?? 'none', family: given?.physicalFunction?.survey ?? null,
      kernel: taken.kernel, pasid: given && pasidOf(given),
      atsSupported: given?.iommu?.atsSupported ?? true, port, settings, names: namesIn(body),
    });
    const assumed = [...(guessed === null ? [] : [guessed]), ...assumedOf(taken),
      ...(given ? [] : ['the hardware is what the document tells of it'])];
    return { assumed, kernel: taken.kernel, ...answer, outcome: seen.outcome };
  }
}

function namesIn({ names, function: reference }: LayoutKnobsDto): DeviceNames {
  const { device, bus, iommufd } = names ?? {};
  const hostBdf = names?.hostBdf ?? reference?.address;
  return {
    hostBdf: hostBdf === undefined ? undefined : parse.address(hostBdf, '/names/hostBdf'),
    device: device ?? undefined, bus: bus ?? undefined, iommufd: iommufd ?? undefined,
  };
}
