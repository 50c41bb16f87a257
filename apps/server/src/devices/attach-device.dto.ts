import {
  ArrayMaxSize, ArrayUnique, IsArray, IsBoolean, IsIn, IsInt, IsOptional, IsString, Length, Matches, Max, Min,
} from 'class-validator';
import { strategies, type Strategy } from '@cadastre/device-layout';
import { grantedAsTheyAre } from '@cadastre/lifecycle';
import { IsNested, IsNestedList, IsOffset } from '../http/validation.js';

const names = ['pasid', ...grantedAsTheyAre] as const;

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
}

export class PinnedDto {
  @IsOptional() @IsOffset()
  pasid?: string | number | null;

  @IsOptional() @IsOffset()
  pri?: string | number | null;

  @IsOptional() @IsOffset()
  ats?: string | number | null;

  @IsOptional() @IsOffset()
  acs?: string | number | null;
}

export class RangeDto {
  @IsOffset()
  offset!: string | number;

  @IsOffset()
  length!: string | number;
}

export class PolicyDto {
  /** Tried in this order. Default: the planner's own; with a pinned offset, that one alone. */
  @IsOptional() @IsArray() @ArrayUnique() @ArrayMaxSize(strategies.length) @IsIn(strategies, { each: true })
  strategies?: Strategy[] | null;

  @IsOptional() @IsNested(() => PinnedDto)
  pinned?: PinnedDto | null;

  @IsOptional() @IsNestedList(() => RangeDto, 64)
  allowedRanges?: RangeDto[] | null;
}

export class PersonaDto {
  @IsString()
  name!: string;

  /** The newest when left out. */
  @IsOptional() @IsInt() @Min(1)
  version?: number | null;
}

export class AttachDeviceDto {
  @IsNested(() => FunctionReferenceDto)
  function!: FunctionReferenceDto;

  @IsNestedList(() => CapabilityRequestDto, 16)
  capabilities!: CapabilityRequestDto[];

  /** A published layout to wear whole; then `capabilities` is empty. */
  @IsOptional() @IsNested(() => PersonaDto)
  persona?: PersonaDto | null;

  @IsOptional() @IsNested(() => PolicyDto)
  policy?: PolicyDto | null;
}

export class DetachDeviceDto {
  @IsOptional() @IsString() @Length(1, 200) @Matches(/^\P{C}+$/u, { message: 'reason must be printable text' })
  reason?: string | null;
}
