import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { vfioView } from '@cadastre/config-space';
import { type LayoutDocument, type LayoutPlacements, placementsOf } from '@cadastre/device-layout';
import { guestView, impliedPasid, impliedPasidSays, knobsFor, vmmProfiles } from '@cadastre/vmm-profiles';
import { parse } from '../http/parse-name.js';
import { givenFunction, givenLayout } from '../layouts/given-function.js';
import { assumedOf, givenHost, givenKernel, pasidOf } from './given-host.js';
import { givenKnobs } from './given-knobs.js';
import { givenProfile } from './given-profile.js';
import { predictionView, profileView } from './profile-view.js';
import { LayoutKnobsDto, PredictDto } from './vmm-profiles.dto.js';

/** Questions about VMMs: nothing is recorded, so nothing needs an idempotency key. */
@Controller('v1')
export class VmmProfilesController {
  constructor(private readonly queries: QueryBus) {}

  @Get('vmm-profiles')
  list(): object {
    return { profiles: vmmProfiles.map(profileView) };
  }

  /** What a guest reads of a function before it wrote anything. */
  @Post('layouts/predict')
  @HttpCode(200)
  async predict(@Body() body: PredictDto): Promise<object> {
    const profile = givenProfile(body.vmm);
    const knobs = givenKnobs(body.knobs, profile);
    const given = await givenFunction(body, this.queries);
    const taken = givenKernel(body.kernel, given);
    const told = pasidOf(given);
    const implied = told ? null : impliedPasid(profile, knobs.settings ?? {});
    const host = givenHost(taken.kernel, given, told ?? implied, body.barSizesBytes);
    const prediction = guestView(given.survey.space, profile, knobs, host);
    const assumed = [...assumedOf(taken), ...(implied ? [impliedPasidSays] : [])];
    return { kernel: taken.kernel, assumed, ...predictionView(prediction, given.address) };
  }

  /** What to set so that a VMM shows a layout. */
  @Post('layouts/knobs')
  @HttpCode(200)
  async knobs(@Body() body: LayoutKnobsDto): Promise<object> {
    const layout = givenLayout(body.layout, '/layout');
    const { wanted, starts, pasid } = await this.placements(layout, body);
    const { device, bus, iommufd } = body.names ?? {};
    const hostBdf = body.names?.hostBdf ?? body.function?.address;
    const names = {
      hostBdf: hostBdf === undefined ? undefined : parse.address(hostBdf, '/names/hostBdf'),
      device: device ?? undefined, bus: bus ?? undefined, iommufd: iommufd ?? undefined, pasid,
    };
    return { wanted, ...knobsFor(wanted, givenProfile(body.vmm), names, starts) };
  }

  private async placements(layout: LayoutDocument, body: LayoutKnobsDto): Promise<LayoutPlacements> {
    if (!body.function && !body.configSpace) return placementsOf(layout);
    const given = await givenFunction(body, this.queries);
    return placementsOf(layout, vfioView(given.survey.space, givenKernel(body.kernel, given).kernel).space);
  }
}
