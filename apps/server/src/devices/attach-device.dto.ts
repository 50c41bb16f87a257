import { applyDecorators } from '@nestjs/common';
import { plainToInstance, Transform } from 'class-transformer';
import {
  ArrayMaxSize, IsArray, IsBoolean, IsIn, IsInt, IsObject, IsOptional, IsString, Length, Matches, Max, Min,
  ValidateNested,
} from 'class-validator';
import { grantedAsRequested, grantedAsTheyAre } from '@cadastre/lifecycle';
import { type GuestPort, guestPorts } from '@cadastre/vmm-profiles';
import { ConfigSpaceDto } from '../functions/observe-function.dto.js';
import { IsNested } from '../http/validation.js';

const names = ['pasid', ...grantedAsTheyAre, ...grantedAsRequested] as const;
/** More hot-plugs than a VM lives through. */
const hotPlugOrderMax = 1_000_000;
/** Twice what can be placed by name. */
const capabilitiesMax = 16;

export class FunctionReferenceDto {
  @IsString()
  host!: string;

  @IsString()
  address!: string;
}

export class CapabilityRequestDto {
  @IsIn(names)
  name!: (typeof names)[number];

  /** PASID width in bits; what is left out is what the IOMMU has. */
  @IsOptional() @IsInt() @Min(1) @Max(20)
  width?: number | null;

  @IsOptional() @IsBoolean()
  exec?: boolean | null;

  @IsOptional() @IsBoolean()
  priv?: boolean | null;

  /** Fields of a capability whose content only the request tells: DSN, DVSEC, GPUDirect clique, VMD shadow. */
  @IsOptional() @IsObject()
  registers?: Record<string, unknown> | null;
}

/** Names become requests of that name; what is neither is left for the validation to refuse. */
function capabilitiesIn(given: unknown): unknown {
  if (!Array.isArray(given)) return given;
  return given.map((one: unknown) =>
    plainToInstance(CapabilityRequestDto, typeof one === 'string' ? { name: one } : one));
}

/** A list of capability requests; a name alone stands for one with nothing else said. */
export function IsCapabilityList(): PropertyDecorator {
  return applyDecorators(Transform(({ obj, key }) => capabilitiesIn((obj as Record<string, unknown>)[key])), IsArray(),
    ArrayMaxSize(capabilitiesMax), IsObject({ each: true }), ValidateNested({ each: true }));
}

export class PersonaDto {
  @IsString()
  name!: string;

  /** The newest when left out. */
  @IsOptional() @IsInt() @Min(1)
  version?: number | null;
}

/** The VMM the device is attached for, and what its control plane sets anyway. */
export class VmmDto {
  @IsString() @Length(1, 64)
  name!: string;

  @IsOptional() @IsString() @Length(1, 64)
  version?: string | null;

  /** Where the guest has the device: `root-port` when left out. */
  @IsOptional() @IsIn(guestPorts)
  port?: GuestPort | null;

  /** Settings of the device as the VMM spells them. */
  @IsOptional() @IsObject()
  settings?: Record<string, unknown> | null;
}

/** What a guest is to find. */
export class LayoutWishDto {
  @IsCapabilityList()
  capabilities!: CapabilityRequestDto[];

  /** A published layout to wear whole; then `capabilities` is empty. */
  @IsOptional() @IsNested(() => PersonaDto)
  persona?: PersonaDto | null;

  /** Read by the planner's own reader, which names what is wrong with a JSON Pointer. */
  @IsOptional() @IsObject()
  policy?: object | null;

  @IsOptional() @IsNested(() => VmmDto)
  vmm?: VmmDto | null;

  /** Whether places of earlier layouts of the device stay. True when left out: a guest may have cached them. */
  @IsOptional() @IsBoolean()
  keepPlaces?: boolean | null;
}

export class AttachDeviceDto extends LayoutWishDto {
  @IsNested(() => FunctionReferenceDto)
  function!: FunctionReferenceDto;

  /** The how-manieth hot-plug of the VM it is; left out for a device of a cold start. */
  @IsOptional() @IsInt() @Min(0) @Max(hotPlugOrderMax)
  hotPlugOrder?: number | null;
}

/** What was read inside the guest. */
export class ObserveGuestDto {
  @IsNested(() => ConfigSpaceDto)
  configSpace!: ConfigSpaceDto;

  /** Which function of `lspci` text, by its address in the guest; the first when left out. */
  @IsOptional() @IsString() @Length(7, 20)
  address?: string | null;
}

export class DetachDeviceDto {
  @IsOptional() @IsString() @Length(1, 200) @Matches(/^\P{C}+$/u, { message: 'reason must be printable text' })
  reason?: string | null;
}
