import { ArrayMinSize, IsBoolean, IsIn, IsObject, IsOptional, IsString, Length, Matches } from 'class-validator';
import { profileNames } from '../vmm-profiles/given-profile.js';
import {
  type CapabilityRequestDto, FunctionReferenceDto, IsCapabilityList, type LayoutWishDto, PersonaDto, VmmDto,
} from '../devices/attach-device.dto.js';
import { ConfigSpaceDto, IommuDto, KernelDto } from '../functions/observe-function.dto.js';
import { IsNested, IsNestedList } from '../http/validation.js';

/** Functions one request may bring: their dumps have to fit the body. */
const functionsMax = 1_000;

/** The bytes of one function. */
export class CaptureDto {
  @IsNested(() => ConfigSpaceDto)
  configSpace!: ConfigSpaceDto;

  /** Which function of `lspci` text; the first when left out. */
  @IsOptional() @IsString() @Length(7, 20)
  address?: string | null;
}

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

  /** Of a VF that is not of the ledger. */
  @IsOptional() @IsNested(() => CaptureDto)
  physicalFunction?: CaptureDto | null;
}

/** What an attach has, over a function that may be brought along. */
export class PlanLayoutDto extends GivenFunctionDto implements LayoutWishDto {
  @IsCapabilityList()
  capabilities!: CapabilityRequestDto[];

  @IsOptional() @IsNested(() => PersonaDto)
  persona?: PersonaDto | null;

  /** Read by the planner's own reader, which names what is wrong with a JSON Pointer. */
  @IsOptional() @IsObject()
  policy?: object | null;

  @IsOptional() @IsNested(() => VmmDto)
  vmm?: VmmDto | null;

  @IsOptional() @IsBoolean()
  keepPlaces?: boolean | null;

  /** With `device`: the device it is planned for, whose earlier places count. */
  @IsOptional() @IsString()
  vm?: string | null;

  @IsOptional() @IsString()
  device?: string | null;

  /** Of the host, for a function that is not of the ledger: what a VMM shows depends on it. */
  @IsOptional() @IsNested(() => KernelDto)
  kernel?: KernelDto | null;

  /** Further captures of the same model, beside those of the ledger. */
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

  @IsOptional() @IsBoolean()
  relocations?: boolean | null;
}

export class PublishPersonaDto {
  /** The instance type whose guests find the layout, as the control plane calls it. */
  @IsOptional() @Matches(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
  instanceType?: string | null;

  @IsObject()
  layout!: object;
}
