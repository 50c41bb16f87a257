import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsBoolean, IsIn, IsInt, IsObject, IsOptional, IsString, Length, Matches, Max,
  Min } from 'class-validator';
import { type GuestPort, guestPorts } from '@cadastre/vmm-profiles';
import { KernelDto } from '../functions/observe-function.dto.js';
import { IsNested, IsNestedList, IsOffset } from '../http/validation.js';
import { GivenFunctionDto } from '../layouts/layouts.dto.js';

/** One for each DWORD. */
const patchesMax = 1_024;
/** 2^52 bytes: no BAR is larger than an address. */
const barBytesMax = 2 ** 52;
/** Names end in command lines and XML, where they are escaped; blanks and control characters help nobody. */
const printable = /^[\x21-\x7e]+$/;

export class VmmVersionDto {
  @IsString() @Length(1, 64)
  name!: string;

  @IsOptional() @IsString() @Length(1, 64)
  version?: string | null;
}

/** A VMM by name and version, or in one text: `qemu-11.0`. */
export function IsVmm(): PropertyDecorator {
  return applyDecorators(IsNested(() => VmmVersionDto), Transform(({ obj, key, value }) => {
    const given = (obj as Record<string, unknown>)[key];
    return typeof given === 'string' ? Object.assign(new VmmVersionDto(), { name: given }) : value as unknown;
  }));
}

export class PatchDto {
  @IsOffset()
  offset!: string | number;

  @IsInt() @Min(0) @Max(0xffffffff)
  mask!: number;

  @IsInt() @Min(0) @Max(0xffffffff)
  value!: number;
}

export class KnobsDto {
  @IsOptional() @IsIn([...guestPorts])
  port?: GuestPort | null;

  @IsOptional() @IsBoolean()
  viommuPasid?: boolean | null;

  /** The VMM's own settings; judged by its profile. */
  @IsOptional() @IsObject()
  settings?: Record<string, unknown> | null;

  /** For a VMM that obeys a layout document. */
  @IsOptional() @IsNestedList(() => PatchDto, patchesMax)
  patches?: PatchDto[] | null;
}

export class PredictDto extends GivenFunctionDto {
  @IsVmm()
  vmm!: VmmVersionDto;

  @IsOptional() @IsNested(() => KnobsDto)
  knobs?: KnobsDto | null;

  /** Of the host; for a function of the ledger another one than it was observed on. */
  @IsOptional() @IsNested(() => KernelDto)
  kernel?: KernelDto | null;

  /** BAR 0..5, 0 where there is none. */
  @IsOptional() @IsArray() @ArrayMaxSize(6) @IsInt({ each: true }) @Min(0, { each: true })
  @Max(barBytesMax, { each: true })
  barSizesBytes?: number[] | null;

  /** Whether the host gave the function an interrupt; true when left out. Without one its pin reads 0. */
  @IsOptional() @IsBoolean()
  hasInterrupt?: boolean | null;
}

/** What a control plane sets whatever the layout is. */
export class SetAnywayDto {
  @IsOptional() @IsIn([...guestPorts])
  port?: GuestPort | null;

  @IsOptional() @IsObject()
  settings?: Record<string, unknown> | null;
}

export class DeviceNamesDto {
  @IsOptional() @IsString() @Length(7, 20)
  hostBdf?: string | null;

  @IsOptional() @IsString() @Length(1, 64) @Matches(printable)
  device?: string | null;

  @IsOptional() @IsString() @Length(1, 64) @Matches(printable)
  bus?: string | null;

  @IsOptional() @IsString() @Length(1, 64) @Matches(printable)
  iommufd?: string | null;
}

/** With a function the answer is about its bytes; without one the document has to stand for the hardware. */
export class LayoutKnobsDto extends GivenFunctionDto {
  @IsObject()
  layout!: object;

  @IsVmm()
  vmm!: VmmVersionDto;

  @IsOptional() @IsNested(() => SetAnywayDto)
  knobs?: SetAnywayDto | null;

  @IsOptional() @IsNested(() => KernelDto)
  kernel?: KernelDto | null;

  @IsOptional() @IsNested(() => DeviceNamesDto)
  names?: DeviceNamesDto | null;
}
