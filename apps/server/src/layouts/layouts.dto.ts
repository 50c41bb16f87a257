import { ArrayMinSize, IsIn, IsObject, IsOptional, IsString, Length } from 'class-validator';
import { profileNames } from '../vmm-profiles/given-profile.js';
import { type CapabilityRequestDto, FunctionReferenceDto, IsCapabilityList } from '../devices/attach-device.dto.js';
import { ConfigSpaceDto, IommuDto } from '../functions/observe-function.dto.js';
import { IsNested, IsNestedList } from '../http/validation.js';

/** Functions one request may bring: their dumps have to fit the body. */
const functionsMax = 1_000;

/** A function of the ledger, or one that is in the request. */
export class GivenFunctionDto {
  @IsOptional() @IsNested(() => FunctionReferenceDto)
  function?: FunctionReferenceDto | null;

  @IsOptional() @IsNested(() => ConfigSpaceDto)
  configSpace?: ConfigSpaceDto | null;

  /** Which function of `lspci` text; the first when left out. */
  @IsOptional() @IsString() @Length(7, 20)
  address?: string | null;

  @IsOptional() @IsIn(['pf', 'vf', 'none'])
  role?: 'pf' | 'vf' | 'none' | null;

  /** Of the host, for a function that is not of the ledger. */
  @IsOptional() @IsNested(() => IommuDto)
  iommu?: IommuDto | null;
}

export class PlanLayoutDto extends GivenFunctionDto {
  /** As an attach has them; a name alone stands for one with nothing else said. */
  @IsCapabilityList()
  capabilities!: CapabilityRequestDto[];

  /** Read by the planner's own reader, which names what is wrong with a JSON Pointer. */
  @IsOptional() @IsObject()
  policy?: object | null;

  /** Name of a persona whose newest version's places are followed. */
  @IsOptional() @IsString() @Length(1, 64)
  persona?: string | null;

  /** Further captures of the same model. */
  @IsOptional() @IsNestedList(() => GivenFunctionDto, 64)
  evidence?: GivenFunctionDto[] | null;
}

export class CompareLayoutsDto {
  @IsObject()
  a!: object;

  @IsObject()
  b!: object;
}

export class VerdictDto extends GivenFunctionDto {
  @IsObject()
  layout!: object;

  /** `generic`, which obeys documents, when left out. */
  @IsOptional() @IsIn(profileNames)
  vmm?: string | null;
}

export class BaselineDto {
  @IsNestedList(() => GivenFunctionDto, functionsMax) @ArrayMinSize(1)
  functions!: GivenFunctionDto[];
}

export class PublishPersonaDto {
  @IsObject()
  layout!: object;
}
